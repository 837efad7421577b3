// The card among its neighbours, as the network sees them. Coordinates come in thousandths of the view.
export function minimapHtml({ around, identities }, work, candidates, colors) {
  const dot = ([x, y], kind, r, extra = "") => `<circle class="${kind}" cx="${x}" cy="${1000 - y}" r="${r}" ${extra}/>`;
  const own = work.tiles
    .filter((tile) => tile.point)
    .map((tile) => dot(tile.point, work.dropped.has(tile.image) ? "out" : "own", 17));
  const joined = work.accepted
    .filter((candidate) => candidate.point)
    .map((candidate) => dot(candidate.point, "own", 17));
  const numbers = candidates
    .slice(0, 9)
    .map(({ point }, place) =>
      point ? `<text x="${point[0]}" y="${1000 - point[1]}" dy="14">${place + 1}</text>` : "",
    );
  return (
    around.map((point) => dot(point, "other", 9)).join("") +
    identities
      .map(([x, y, identity]) => dot([x, y], "known", 13, `style="--c:${colors.get(identity) ?? "currentColor"}"`))
      .join("") +
    own.join("") +
    joined.join("") +
    numbers.join("")
  );
}
