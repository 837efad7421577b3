// Same person or not? Two groups of tiles side by side; Y, N, ?.
import { escape } from "../shared_js/text.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";

export const PAIR_EVERY = 10; // cards between two bursts
export const PAIR_BURST = 3;

export function pairHtml({ left, right, reason }, thumbs) {
  const side = ({ name, tiles }) =>
    `<section><h5>${escape(name)}</h5><div>${tiles
      .map(
        (tile) =>
          `<figure><img src="${thumbs}${tile.token}" alt="${escape(name)}${tile.camera === null ? "" : `, camera ${tile.camera}`}" width="96" height="192"><figcaption>${tile.camera === null ? "" : `camera ${tile.camera}`}</figcaption></figure>`,
      )
      .join("")}</div></section>`;
  return `<h3>Are these the same ${PERSON}?</h3><p>${escape(reason)}</p><div class="sides">${side(left)}${side(right)}</div>
    <div class="answers"><button type="button" data-answer="same">Yes, the same <kbd>Y</kbd></button>
    <button type="button" data-answer="different">No, two ${PEOPLE} <kbd>N</kbd></button>
    <button type="button" data-answer="unsure">Cannot tell <kbd>?</kbd></button>
    <button type="button" data-answer="">Back to the card <kbd>Esc</kbd></button></div>`;
}
