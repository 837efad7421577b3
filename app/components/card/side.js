// The panel beside a card: who else may be the person, and who looks like the card.
import { counted, escape } from "../shared_js/text.js";
import { PERSON } from "../shared_js/words.js";

export function candidateHtml(candidate, place, thumbs, work) {
  const { tiles, cameras } = candidate;
  const state = work.accepted.includes(candidate) ? "joined" : work.rejected.includes(candidate) ? "refused" : "";
  const tokens = tiles
    .slice(0, 6)
    .map((tile) => thumbs + tile.token)
    .join(" ");
  const sure = `${Math.round(100 * candidate.probability)} %`;
  const hint = `${counted(tiles.length, "image")}${cameras ? `, ${counted(cameras, "camera")}` : ""}, ${sure} sure`;
  const said = `candidate ${place + 1}, ${hint}${state && `, ${state}`}`;
  return (
    `<figure class="${state}" data-candidate="${place}" data-tokens="${tokens}" data-hint="${hint}"><button type="button" class="face" aria-pressed="${state === "joined"}" aria-label="${said}"><img src="${thumbs}${tiles[0].token}" alt="" width="56" height="112" draggable="false"></button>` +
    `${place < 9 ? `<kbd>${place + 1}</kbd>` : ""}<small class="sure">${sure}</small>${tiles.length > 1 ? `<small>×${tiles.length}</small>` : ""}<button type="button" data-refuse aria-label="Not this ${PERSON}: candidate ${place + 1}" title="Not this ${PERSON}; never offered again">×</button></figure>`
  );
}

export function identityHtml({ identity, name, color, tokens, n }, thumbs) {
  return (
    `<figure data-identity="${identity}" data-tokens="${tokens.map((token) => thumbs + token).join(" ")}" data-hint="${escape(name)}, ${counted(n, "image")}: add the chosen images">` +
    `<button type="button" class="face" aria-label="Add the chosen images to ${escape(name)}"><img src="${thumbs}${tokens[0]}" alt="" width="56" height="112" draggable="false"></button><figcaption style="--c:${color}">${escape(name)}</figcaption></figure>`
  );
}
