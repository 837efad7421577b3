// A larger picture beside what the pointer rests on, after a moment.
import { escape } from "./text.js";

const ZOOM_MS = 125;

export class Zoom {
  constructor(element) {
    this.element = element;
  }

  watch(parent, selector) {
    for (const item of parent.querySelectorAll(selector)) {
      item.onpointerenter = (event) => {
        if (!event.buttons) this.plan(item);
      };
      item.onpointerleave = item.onpointerup = () => this.hide();
    }
  }

  plan(item) {
    this.hide();
    this.timer = setTimeout(() => this.show(item), ZOOM_MS);
  }

  show(item) {
    const images = item.dataset.tokens ? item.dataset.tokens.split(" ") : [(item.querySelector("img") ?? item).src];
    this.element.innerHTML =
      images.map((src) => `<img src="${escape(src)}" alt="">`).join("") +
      `<span>${escape(item.dataset.hint ?? (item.querySelector("img") ?? item).alt)}</span>`;
    this.element.hidden = false;
    const box = item.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = box.left + box.right < innerWidth ? box.right + 10 : box.left - width - 10; // where there is more room
    this.element.style.left = `${Math.max(4, left)}px`;
    this.element.style.top = `${Math.max(4, Math.min(box.top - 40, innerHeight - height - 8))}px`;
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }
}
