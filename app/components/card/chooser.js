// `A`: type a part of a name, see the faces, Enter. The identities that look most like the card come first.
import { escape } from "../shared_js/text.js";

export class Chooser {
  /** @type {import("../shared_js/types").Identity[]} */
  identities = [];
  place = 0;

  /**
   * @param {HTMLElement} element
   * @param {(identity: import("../shared_js/types").Identity) => void} onChoose
   */
  constructor(element, onChoose) {
    this.element = element;
    this.onChoose = onChoose;
    this.input = element.querySelector("input");
    this.list = element.querySelector("ol");
    this.input.oninput = () => {
      this.place = 0;
      this.draw();
    };
    this.input.onkeydown = (event) => this.key(event);
    this.list.onclick = (event) => {
      /** @type {HTMLElement | null} */
      const item = /** @type {Element} */ (event.target).closest("li[data-place]");
      if (item) this.choose(Number(item.dataset.place));
    };
    element.onpointerdown = (event) => {
      if (event.target === element) this.close();
    };
  }

  get isOpen() {
    return !this.element.hidden;
  }

  open(identities, nearest, thumbs) {
    const rank = new Map(nearest.map((identity, place) => [identity, place]));
    this.identities = [...identities].sort((a, b) => (rank.get(a.identity) ?? 1e6) - (rank.get(b.identity) ?? 1e6));
    this.thumbs = thumbs;
    this.place = 0;
    this.input.value = "";
    this.back = /** @type {HTMLElement} */ (document.activeElement);
    this.element.hidden = false;
    this.draw();
    this.input.focus();
  }

  close() {
    this.element.hidden = true;
    this.input.blur();
    this.back?.focus?.({ preventScroll: true });
  }

  draw() {
    const typed = this.input.value.trim().toLowerCase();
    this.shown = this.identities.filter(({ name }) => name.toLowerCase().includes(typed)).slice(0, 12);
    this.place = Math.min(this.place, Math.max(0, this.shown.length - 1));
    this.list.innerHTML =
      this.shown
        .map(
          ({ name, color, tokens, n }, place) =>
            `<li role="option" data-place="${place}" aria-selected="${place === this.place}"><i style="--c:${color}"></i>` +
            tokens
              .slice(0, 4)
              .map((token) => `<img src="${this.thumbs}${token}" alt="" width="32" height="64">`)
              .join("") +
            `<b>${escape(name)}</b><small>${n} ${n === 1 ? "image" : "images"}</small></li>`,
        )
        .join("") ||
      `<li class="none" role="option" aria-disabled="true" aria-selected="false">${this.identities.length ? "No identity has this in its name." : "No identity yet: Enter on the card makes the first."}</li>`;
    this.list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.place = (this.place + step + this.shown.length) % Math.max(1, this.shown.length);
      this.draw();
    } else if (event.key === "Enter" && !event.isComposing) this.choose(this.place);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  choose(place) {
    const identity = this.shown[place];
    if (!identity) return;
    this.close();
    this.onChoose(identity);
  }
}
