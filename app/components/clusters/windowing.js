// Which rows of a long grid are in sight, and where keys lead in it.

/** @param {number} width Of the grid, in pixels. */
export function columnsOf(width, least, gap) {
  return Math.max(1, Math.floor((width + gap) / (least + gap)));
}

/**
 * The places whose elements must exist: the rows in sight, and some above and below.
 * @param {{ top: number, height: number, rowHeight: number, columns: number, n: number, spare?: number }} sight
 * @returns {[number, number]} The first, and the one after the last.
 */
export function placesInSight({ top, height, rowHeight, columns, n, spare = 2 }) {
  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const after = Math.ceil((top + height) / rowHeight) + spare;
  return [Math.min(n, first * columns), Math.min(n, Math.max(0, after) * columns)];
}

/**
 * Where a key leads from a place; null if it is no key of the grid.
 * @param {string} key
 * @param {{ place: number, n: number, columns: number, rowsInSight: number }} at
 */
export function placeAfter(key, { place, n, columns, rowsInSight }) {
  const page = columns * Math.max(1, rowsInSight - 1);
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page };
  if (key === "Home") return 0;
  if (key === "End") return n - 1;
  if (!Object.hasOwn(steps, key)) return null;
  const wanted = place + steps[key];
  if (wanted >= 0 && wanted < n) return wanted;
  if (Math.abs(steps[key]) <= columns && key.startsWith("Arrow")) {
    const lastRow = Math.floor((n - 1) / columns);
    if (key === "ArrowDown" && Math.floor(place / columns) < lastRow) return n - 1; // the last row is shorter
    return place;
  }
  return wanted < 0 ? 0 : n - 1;
}
