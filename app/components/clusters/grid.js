// A long grid of which only the rows in sight are in the page; arrows move through all of it.
import { columnsOf, placeAfter, placesInSight } from "./windowing.js";

const SETTLE_MS = 90; // pictures wait until a fast scroll has come to rest
const FAST_SCREENS = 0.75; // from a frame to the next
const SPARE_ROWS = 2; // above and below those in sight; none in a fast scroll
const N_IN_FRAME = 40; // pictures asked for in one frame

/**
 * @typedef {object} Shape
 * @property {number} least Smallest width of an item, in pixels.
 * @property {number} height Of an item.
 * @property {number} gap
 * @property {boolean} isStretched Whether items share the width that is left.
 *
 * @typedef {object} Source
 * @property {(item: number) => string} html Of an item; its pictures have `data-src`.
 * @property {(element: HTMLElement, item: number) => void} refresh What changes while it is in sight.
 */

export class WindowedGrid {
  items = new Int32Array();
  /** @type {Map<number, HTMLElement>} Elements by place. */
  elements = new Map();
  /** @type {Set<HTMLElement>} Those whose pictures are not asked for yet. */
  waiting = new Set();
  place = 0;
  columns = 1;
  lastTop = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {Source} source
   * @param {Shape} shape
   */
  constructor(scroller, source, shape) {
    this.scroller = scroller;
    this.canvas = /** @type {HTMLElement} */ (scroller.firstElementChild);
    this.source = source;
    this.shape = shape;
    this.onScroll = () => {
      this.frame ??= requestAnimationFrame(() => this.scrolled());
    };
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(scroller);
  }

  dispose() {
    this.scroller.removeEventListener("scroll", this.onScroll);
    this.observer.disconnect();
    for (const frame of [this.frame, this.loading, this.settling]) cancelAnimationFrame(frame);
    clearTimeout(this.timer);
  }

  /**
   * @param {Int32Array} items
   * @param {{ source?: Source, shape?: Shape, isKept?: boolean }} how Where `isKept`, the scroll stays where it is.
   */
  show(items, { source = this.source, shape = this.shape, isKept = false } = {}) {
    if (isKept && shape === this.shape && isEqual(items, this.items)) {
      this.refresh(); // who scrolls or has the focus here is not disturbed
      return;
    }
    const focused = this.items[this.place];
    Object.assign(this, { items, source, shape });
    this.place = Math.max(0, isKept ? items.indexOf(focused) : 0);
    this.clear();
    this.measure();
    if (!isKept) this.scroller.scrollTop = 0;
    this.render();
  }

  clear() {
    const hadFocus = this.canvas.contains(document.activeElement);
    this.canvas.replaceChildren();
    this.elements.clear();
    this.waiting.clear();
    if (hadFocus) this.isFocusWanted = true;
  }

  measure() {
    const { least, height, gap, isStretched } = this.shape;
    const width = this.scroller.clientWidth - 8;
    this.columns = columnsOf(width, least, gap);
    this.itemWidth = isStretched ? (width - gap * (this.columns - 1)) / this.columns : least;
    this.rowHeight = height + gap;
    this.canvas.style.height = `${Math.ceil(this.items.length / this.columns) * this.rowHeight}px`;
  }

  resize() {
    if (!this.scroller.clientWidth || !this.items.length) return;
    const first = Math.floor(this.scroller.scrollTop / this.rowHeight) * this.columns;
    const before = this.columns;
    this.measure();
    if (this.columns !== before) this.scroller.scrollTop = Math.floor(first / this.columns) * this.rowHeight;
    for (const [place, element] of this.elements) this.put(element, place);
    this.render();
  }

  scrolled() {
    this.frame = null;
    const { scrollTop: top, clientHeight: height } = this.scroller;
    this.isFast = Math.abs(top - this.lastTop) > FAST_SCREENS * height;
    this.lastTop = top;
    clearTimeout(this.timer);
    if (this.isFast) this.timer = setTimeout(() => this.settle(), SETTLE_MS);
    this.render();
  }

  // Where frames are late the timer comes between two of them: the next one tells whether the scroll goes on.
  settle() {
    this.settling = requestAnimationFrame(() => {
      if (this.frame) return;
      this.isFast = false;
      this.render();
    });
  }

  render() {
    const { scrollTop: top, clientHeight: height } = this.scroller;
    const { rowHeight, columns } = this;
    const spare = this.isFast ? 0 : SPARE_ROWS;
    const [first, after] = placesInSight({ top, height, rowHeight, columns, n: this.items.length, spare });
    for (const [place, element] of this.elements)
      if ((place < first || place >= after) && place !== this.place) this.remove(place, element);
    const fresh = document.createDocumentFragment();
    if (this.place < this.items.length && !this.elements.has(this.place)) fresh.append(this.make(this.place));
    for (let place = first; place < after; place += 1) if (!this.elements.has(place)) fresh.append(this.make(place));
    this.canvas.append(fresh);
    if (this.isFocusWanted) this.elements.get(this.place)?.focus({ preventScroll: true });
    this.isFocusWanted = false;
    if (!this.isFast) this.loadSome();
  }

  remove(place, element) {
    stopPictures(element);
    element.remove();
    this.elements.delete(place);
    this.waiting.delete(element);
  }

  loadSome() {
    cancelAnimationFrame(this.loading);
    let left = N_IN_FRAME;
    for (const element of this.waiting) {
      if (left <= 0) break;
      left -= loadPictures(element);
      this.waiting.delete(element);
    }
    this.loading = this.waiting.size ? requestAnimationFrame(() => this.isFast || this.loadSome()) : null;
  }

  make(place) {
    const element = document.createElement("div");
    const item = this.items[place];
    element.className = "clusters-item";
    element.setAttribute("role", "option");
    element.setAttribute("aria-setsize", String(this.items.length));
    element.setAttribute("aria-posinset", String(place + 1));
    element.dataset.place = String(place);
    element.dataset.item = String(item);
    element.tabIndex = place === this.place ? 0 : -1;
    element.innerHTML = this.source.html(item);
    this.put(element, place);
    this.source.refresh(element, item);
    this.elements.set(place, element);
    this.waiting.add(element);
    return element;
  }

  put(element, place) {
    const { columns, rowHeight, itemWidth } = this;
    const left = (place % columns) * (itemWidth + this.shape.gap);
    element.style.cssText = `width:${itemWidth}px;height:${this.shape.height}px;transform:translate(${left}px,${Math.floor(place / columns) * rowHeight}px)`;
  }

  /** Draw again what may have changed of the items in sight. */
  refresh() {
    for (const [place, element] of this.elements) this.source.refresh(element, this.items[place]);
  }

  // ---- focus
  /** @param {string} key A key of the grid moves the focus; others return false. */
  move(key) {
    const rowsInSight = Math.floor(this.scroller.clientHeight / this.rowHeight);
    const { place, columns } = this;
    const found = placeAfter(key, { place, n: this.items.length, columns, rowsInSight });
    if (found === null || !this.items.length) return false;
    this.focus(found);
    return true;
  }

  mark(place) {
    const before = this.elements.get(this.place);
    if (before) before.tabIndex = -1;
    this.place = place;
    const now = this.elements.get(place);
    if (now) now.tabIndex = 0;
  }

  focus(place = this.place) {
    this.isFocusWanted = false;
    this.mark(place);
    const top = Math.floor(place / this.columns) * this.rowHeight;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight)
      this.scroller.scrollTop = top + this.rowHeight - clientHeight;
    this.render();
    this.elements.get(place)?.focus({ preventScroll: true });
  }

  /** Bring an item into sight without giving it the focus. */
  reveal(item) {
    const place = this.items.indexOf(item);
    if (place < 0) return;
    this.mark(place);
    const top = Math.floor(place / this.columns) * this.rowHeight;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop || top + this.rowHeight > scrollTop + clientHeight)
      this.scroller.scrollTop = Math.max(0, top - clientHeight / 3);
    this.render();
  }
}

function isEqual(a, b) {
  return a.length === b.length && a.every((item, place) => item === b[place]);
}

/** @returns {number} How many pictures of an element were asked for. */
export function loadPictures(element) {
  /** @type {NodeListOf<HTMLImageElement>} */
  const pictures = element.querySelectorAll("img[data-src]");
  for (const picture of pictures) {
    picture.src = picture.dataset.src;
    delete picture.dataset.src;
  }
  return pictures.length;
}

// What has left the sight is not worth the wait for what is in it.
function stopPictures(element) {
  for (const picture of element.querySelectorAll("img[src]")) if (!picture.complete) picture.removeAttribute("src");
}
