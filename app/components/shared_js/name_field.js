// Who is this? Type a part of a name, see the faces, Enter; those who look most alike come first.
import { counted, escape } from "./text.js";

const MOST_SHOWN = 12;

/**
 * @typedef {{ identity?: number | string, name: string, n: number, color?: string, cosine?: number }} Choice
 * @typedef {[number, number?]} Near An identity that looks alike, with its cosine if that is known.
 */

/**
 * The choices for what was typed: known people, and a new one by that name where nobody has exactly it.
 * @template {Choice} T
 * @param {T[]} identities
 * @param {Near[]} nearest Most alike first.
 * @param {string} typed
 * @param {boolean} takesNew Whether a name may be a new one.
 * @returns {(T | Choice)[]}
 */
export function choicesFor(identities, nearest, typed, takesNew) {
  const wanted = typed.trim().toLowerCase();
  /** @type {Map<any, number>} */
  const rank = new Map(nearest.map(([identity], place) => [identity, place]));
  const cosines = new Map(nearest.map(([identity, cosine]) => [identity, cosine]));
  const rankOf = (known) => rank.get(known.identity) ?? nearest.length;
  const found = identities
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .sort((a, b) => rankOf(a) - rankOf(b))
    .slice(0, MOST_SHOWN)
    .map((known) => ({ ...known, cosine: cosines.get(/** @type {number} */ (known.identity)) }));
  const isTaken = identities.some(({ name }) => name.toLowerCase() === wanted);
  return takesNew && wanted && !isTaken ? [...found, { name: typed.trim(), n: 0 }] : found;
}

export class NameField {
  place = 0;
  /** @type {Near[]} */
  nearest = [];
  /** @type {Choice[]} */
  identities = [];
  /** @type {Choice[]} */
  shown = [];

  /**
   * @param {HTMLElement} element Holds an input and the list, and covers the page while it is open.
   * @param {object} options
   * @param {(choice: any) => void} options.onChoose
   * @param {(choice: any) => string[]} options.picturesOf Addresses of a person's pictures.
   * @param {string} options.none What is said where nobody is known.
   * @param {boolean} [options.takesNew] Whether a name may be a new one.
   */
  constructor(element, { onChoose, picturesOf, none, takesNew = false }) {
    this.element = element;
    this.onChoose = onChoose;
    this.picturesOf = picturesOf;
    this.none = none;
    this.takesNew = takesNew;
    this.input = element.querySelector("input");
    this.list = element.querySelector("ol");
    this.input.oninput = () => {
      this.place = 0;
      this.draw();
    };
    this.input.onkeydown = (event) => this.key(event);
    this.list.onclick = (event) => {
      /** @type {HTMLElement | null} */
      const item = /** @type {Element} */ (event.target).closest("[data-place]");
      if (item) this.choose(Number(item.dataset.place));
    };
    element.onpointerdown = (event) => {
      if (event.target === element) this.close();
    };
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /**
   * @param {Choice[]} identities
   * @param {Near[]} nearest
   */
  open(identities, nearest) {
    this.identities = identities;
    this.nearest = nearest;
    this.place = 0;
    this.back = /** @type {HTMLElement | null} */ (document.activeElement);
    this.input.value = "";
    this.element.hidden = false;
    this.draw();
    this.input.focus();
  }

  /** Suggestions that came after the field was opened. */
  suggest(nearest) {
    this.nearest = nearest;
    if (this.isOpen) this.draw();
  }

  close() {
    this.element.hidden = true;
    this.input.blur();
    this.back?.focus?.({ preventScroll: true });
  }

  draw() {
    this.shown = choicesFor(this.identities, this.nearest, this.input.value, this.takesNew);
    this.place = Math.min(this.place, Math.max(0, this.shown.length - 1));
    this.list.innerHTML = this.shown.map((choice, place) => this.choiceHtml(choice, place)).join("") || this.noneHtml();
    this.input.setAttribute("aria-activedescendant", this.shown.length ? this.idOf(this.place) : "");
    this.list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  idOf(place) {
    return `${this.list.id}-${place}`;
  }

  choiceHtml(choice, place) {
    const { identity, name, n, color, cosine } = choice;
    const isNew = identity === undefined;
    const faces = isNew ? "" : this.picturesOf(choice).map(faceHtml).join("");
    const hint = isNew
      ? "a new one"
      : `${counted(n, "image")}${cosine === undefined ? "" : ` · cosine ${cosine.toFixed(2)}`}`;
    const mark = color ? `<i style="--c:${color}"></i>` : "";
    return `<li id="${this.idOf(place)}" role="option" data-place="${place}" aria-selected="${place === this.place}">${mark}${faces}<b>${escape(name)}</b><small>${hint}</small></li>`;
  }

  noneHtml() {
    const text = this.identities.length && !this.takesNew ? "No identity has this in its name." : this.none;
    return `<li class="none" role="option" aria-disabled="true" aria-selected="false">${text}</li>`;
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
    this.onChoose(choice);
  }
}

const faceHtml = (src) => `<img src="${escape(src)}" alt="" width="32" height="64">`;
