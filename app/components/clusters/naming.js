// Who is this? Type a part of a name, or a new one; those who look most alike come first.
import { escape } from "../shared_js/text.js";

const MOST_SHOWN = 8;

/**
 * The choices for what was typed: known people, and a new one by that name where nobody has exactly it.
 * @param {{ identity: number, name: string, n: number }[]} identities
 * @param {[number, number][]} nearest Identities that look most alike, with their cosine.
 * @param {string} typed
 */
export function choicesFor(identities, nearest, typed) {
  const wanted = typed.trim().toLowerCase();
  const cosines = new Map(nearest);
  const found = identities
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .sort((a, b) => (cosines.get(b.identity) ?? -2) - (cosines.get(a.identity) ?? -2) || a.identity - b.identity)
    .slice(0, MOST_SHOWN)
    .map((known) => ({ ...known, cosine: cosines.get(known.identity) }));
  const isTaken = identities.some(({ name }) => name.toLowerCase() === wanted);
  const fresh = { identity: undefined, name: typed.trim(), n: 0, cosine: undefined };
  return wanted && !isTaken ? [...found, fresh] : found;
}

export class Naming {
  place = 0;
  /** @type {ReturnType<typeof choicesFor>} */
  shown = [];

  /**
   * @param {HTMLElement} element
   * @param {(who: { identity?: number, name?: string }) => void} onChoose
   * @param {(identity: number) => string[]} picturesOf
   */
  constructor(element, onChoose, picturesOf) {
    Object.assign(this, { element, onChoose, picturesOf });
    this.element = element;
    this.onChoose = onChoose;
    this.picturesOf = picturesOf;
    this.input = element.querySelector("input");
    this.list = element.querySelector("ol");
    this.input.oninput = () => {
      this.place = 0;
      this.draw();
    };
    this.input.onkeydown = (event) => this.key(event);
    this.list.onclick = (event) => {
      const item = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-place]"));
      if (item) this.choose(Number(item.dataset.place));
    };
    element.onpointerdown = (event) => {
      if (event.target === element) this.close();
    };
  }

  open(identities, nearest) {
    Object.assign(this, { identities, nearest, place: 0 });
    this.identities = identities;
    this.nearest = nearest;
    this.back = /** @type {HTMLElement | null} */ (document.activeElement);
    this.input.value = "";
    this.element.hidden = false;
    this.draw();
    this.input.focus();
  }

  /** Suggestions that came after the dialog was opened. */
  suggest(nearest) {
    this.nearest = nearest;
    if (!this.element.hidden) this.draw();
  }

  close() {
    this.element.hidden = true;
    this.back?.focus?.({ preventScroll: true });
  }

  draw() {
    this.shown = choicesFor(this.identities, this.nearest, this.input.value);
    this.place = Math.min(this.place, Math.max(0, this.shown.length - 1));
    this.list.innerHTML =
      this.shown.map((choice, place) => this.choiceHtml(choice, place)).join("") ||
      `<li class="none">Type a name.</li>`;
    this.input.setAttribute("aria-activedescendant", this.shown.length ? `clusters-choice-${this.place}` : "");
  }

  choiceHtml({ identity, name, n, cosine }, place) {
    const faces = identity === undefined ? "" : this.picturesOf(identity).map(faceHtml).join("");
    const hint =
      identity === undefined
        ? "a new one"
        : `${n} ${n === 1 ? "image" : "images"}${cosine === undefined ? "" : ` · cosine ${cosine.toFixed(2)}`}`;
    return `<li id="clusters-choice-${place}" role="option" data-place="${place}" aria-selected="${place === this.place}">${faces}<b>${escape(name)}</b><small>${hint}</small></li>`;
  }

  key(event) {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.place = (this.place + step + this.shown.length) % Math.max(1, this.shown.length);
      this.draw();
    } else if (event.key === "Enter" && !event.isComposing) this.choose(this.place);
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else return;
    event.preventDefault();
  }

  choose(place) {
    const choice = this.shown[place];
    if (!choice) return;
    this.close();
    this.onChoose(choice.identity === undefined ? { name: choice.name } : { identity: choice.identity });
  }
}

const faceHtml = (src) => `<img src="${escape(src)}" alt="" width="28" height="56">`;
