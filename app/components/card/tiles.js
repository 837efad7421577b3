// The tiles of a card: by camera, tracklets fanned out; click, brush, range, keyboard, and a larger picture on hover.
import { escape } from "../shared_js/text.js";
import { ALIKE } from "../shared_js/alike.js";
import { PERSON } from "../shared_js/words.js";

const TILE_WIDTHS = [112, 96, 80, 64];
const WALK = 8; // tiles of a tracklet in a fan: it fits the line at any width
const ROOM = 0.75; // share of the height that a new card may fill, so that what joins it finds room

/**
 * @typedef {import("../shared_js/types").Tile} Tile
 * @typedef {import("../shared_js/types").Candidate} Candidate
 * @typedef {{ camera: number | null, isLoose?: boolean, accepted?: number, isSure?: boolean, tiles: Tile[] }} Group
 */

export class Tiles {
  /** @type {Tile[]} In the order on the screen. */
  order = [];
  /** @type {Map<number, HTMLElement>} */
  figures = new Map();
  /** @type {Map<number, boolean> | null} What the pointer has marked since it went down. */
  marking = null;
  cursor = -1;
  anchor = -1;

  /**
   * @param {HTMLElement} element
   * @param {import("../shared_js/zoom.js").Zoom} zoom
   * @param {{ onMark: (images: number[], isDropped: boolean) => void, onLike: (image: number) => void }} on
   */
  constructor(element, zoom, { onMark, onLike }) {
    this.element = element;
    this.zoom = zoom;
    this.onMark = onMark;
    this.onLike = onLike;
    element.onpointerdown = (event) => this.press(event);
    element.onpointermove = (event) => this.brush(event);
    element.onpointerup = element.onpointercancel = () => this.release();
    element.addEventListener("focusin", (event) => this.enter(event.target));
  }

  show(work, cameras, thumbs) {
    const groups = arrange(work.tiles, work.accepted, work.card.joined);
    const isNewCard = this.card !== work.card.id;
    const hadFocus = this.hasFocus;
    this.card = work.card.id;
    this.order = groups.flatMap((group) => group.tiles);
    this.work = work;
    const key = this.order.map((tile) => tile.image).join();
    if (isNewCard || key !== this.key) {
      this.element.innerHTML = groups.map((group, n) => groupHtml(group, cameras, thumbs, groups[n - 1])).join("");
      this.figures = new Map(
        Array.from(this.element.querySelectorAll("figure"), (figure) => [Number(figure.dataset.image), figure]),
      );
      this.key = key;
      this.zoom.watch(this.element, "figure");
    }
    if (isNewCard) {
      this.cursor = this.anchor = -1;
      this.element.scrollTop = 0;
      this.fit(TILE_WIDTHS[0], ROOM);
    } else this.fit(this.width, 1);
    this.mark();
    if (hadFocus && !this.hasFocus) this.figures.get(this.order[Math.max(0, this.cursor)]?.image)?.focus();
  }

  // The largest tiles that fit; where even the smallest do not, tracklets are stacked closer.
  fit(largest, room) {
    const { style } = this.element;
    const last = /** @type {HTMLElement | null} */ (this.element.lastElementChild);
    const isFull = () => last !== null && last.offsetTop + last.offsetHeight > room * (this.element.clientHeight - 50);
    style.setProperty("--fan", "0.45");
    for (const width of TILE_WIDTHS.filter((size) => size <= largest)) {
      this.width = width;
      style.setProperty("--tile", `${width}px`);
      if (!isFull()) return;
    }
    style.setProperty("--fan", "0.7");
  }

  mark() {
    for (const [image, figure] of this.figures) {
      const isDropped = this.marking?.get(image) ?? this.work.dropped.has(image);
      figure.classList.toggle("dropped", isDropped);
      figure.setAttribute("aria-checked", String(!isDropped));
    }
    const stop = Math.max(0, this.cursor); // one stop of Tab; the arrows go on from there
    this.order.forEach((tile, place) => {
      const figure = this.figures.get(tile.image);
      figure.classList.toggle("cursor", place === this.cursor);
      figure.tabIndex = place === stop ? 0 : -1;
    });
  }

  get hasFocus() {
    return this.element.contains(document.activeElement) && document.activeElement !== this.element;
  }

  // Tab led to a tile: it is where the arrows start.
  enter(target) {
    const place = this.placeOf(target);
    if (place < 0 || place === this.cursor) return;
    this.cursor = place;
    this.mark();
  }

  // ---- the pointer: what is dragged over becomes what the first tile becomes
  press(event) {
    const place = this.placeOf(event.target);
    if (place < 0 || event.button !== 0) return;
    event.preventDefault(); // no focus, no dragging of pictures
    this.zoom.hide();
    if (event.target.closest(".alike")) {
      this.onLike(this.order[place].image);
      return;
    }
    const isDropped = event.shiftKey && this.anchor >= 0 ? this.isDropped(this.anchor) : !this.isDropped(place);
    this.marking = new Map();
    this.brushing = isDropped;
    this.isSingle = event.altKey;
    this.last = place;
    if (event.shiftKey && this.anchor >= 0) this.paint(this.range(this.anchor, place));
    else {
      this.anchor = place;
      this.paint(this.unit(place));
    }
  }

  brush(event) {
    if (!this.marking) return;
    const place = this.placeOf(document.elementFromPoint(event.clientX, event.clientY));
    if (place < 0 || place === this.last) return;
    this.paint(this.unit(place));
    this.last = place;
  }

  paint(images) {
    for (const image of images) this.marking.set(image, this.brushing);
    this.mark();
  }

  range(from, to) {
    return this.order.slice(Math.min(from, to), Math.max(from, to) + 1).map((tile) => tile.image);
  }

  // A tracklet is one person: its tiles go together, unless Alt asks for one of them.
  unit(place) {
    const { tracklet, image, isChosen } = this.order[place];
    if (this.isSingle) return [image];
    return this.order
      .filter((tile) => tile.tracklet === tracklet && tile.isChosen === isChosen)
      .map((tile) => tile.image);
  }

  release() {
    if (!this.marking) return;
    const images = [...this.marking.keys()];
    this.marking = null;
    this.onMark(images, this.brushing);
  }

  // ---- the keyboard
  move(step, isRange) {
    const before = this.cursor;
    const next = Math.min(this.order.length - 1, Math.max(0, before < 0 ? 0 : before + step));
    this.cursor = next;
    this.mark();
    if (this.hasFocus) this.current?.focus({ preventScroll: true });
    this.current?.scrollIntoView({ block: "nearest" });
    if (!isRange || before < 0) return;
    const isDropped = this.isDropped(before);
    this.onMark([this.order[next].image], isDropped);
  }

  moveLine(direction) {
    const here = this.current?.getBoundingClientRect();
    if (!here) {
      this.move(0, false);
      return;
    }
    const middle = (box) => (box.left + box.right) / 2;
    let best = Infinity;
    let found = this.cursor;
    this.order.forEach((tile, place) => {
      const box = this.figures.get(tile.image).getBoundingClientRect();
      const down = (box.top - here.top) * direction;
      const cost = down < 20 ? Infinity : 4 * down + Math.abs(middle(box) - middle(here));
      if (cost < best) {
        best = cost;
        found = place;
      }
    });
    this.cursor = found;
    this.move(0, false);
  }

  toggle(isSingle) {
    if (this.cursor < 0) {
      this.move(0, false);
      return;
    }
    this.isSingle = isSingle;
    this.onMark(this.unit(this.cursor), !this.isDropped(this.cursor));
  }

  /** Find images like the one that the pointer rests on, or else like the one under the cursor. */
  findLike() {
    const place = this.placeOf(this.element.querySelector("figure:hover"));
    const tile = this.order[place < 0 ? this.cursor : place];
    if (tile) this.onLike(tile.image);
    else this.move(0, false);
  }

  get current() {
    return this.cursor < 0 ? null : this.figures.get(this.order[this.cursor].image);
  }

  isDropped(place) {
    return this.work.dropped.has(this.order[place].image);
  }

  placeOf(target) {
    const figure = target?.closest?.("figure[data-image]");
    return figure && this.element.contains(figure)
      ? this.order.findIndex((tile) => String(tile.image) === figure.dataset.image)
      : -1;
  }
}

/**
 * Group tiles as the server ordered them: those that look like one person by camera, then the rest of the cluster; last
 * what was joined.
 * @param {Tile[]} tiles
 * @param {Candidate[]} accepted
 * @param {Candidate[]} joined Those of them that joined before anyone looked.
 */
export function arrange(tiles, accepted, joined = []) {
  /** @type {Group[]} */
  const groups = [];
  for (const tile of tiles) {
    const last = groups.at(-1);
    if (last && last.camera === tile.camera && last.isLoose === !tile.isChosen) last.tiles.push(tile);
    else groups.push({ camera: tile.camera, isLoose: !tile.isChosen, tiles: [tile] });
  }
  accepted.forEach((candidate, n) =>
    groups.push({ camera: null, accepted: n + 1, isSure: joined.includes(candidate), tiles: candidate.tiles }),
  );
  return groups;
}

function groupHtml(group, cameras, thumbs, before) {
  const { camera, accepted, isSure, isLoose, tiles } = group;
  const name = accepted ? `joined ${accepted}` : camera === null ? "" : `cam ${camera}`;
  const color = accepted ? "var(--st-primary-color)" : (cameras[camera] ?? "var(--st-border-color)");
  const caption = `${name}${tiles.length > 1 ? `${name && " · "}${tiles.length}` : ""}`;
  const heading =
    isLoose && !before?.isLoose
      ? `<h5>Same cluster, looks different: click who belongs to the ${PERSON}</h5>`
      : accepted && (!before?.accepted || before.isSure !== isSure)
        ? `<h5>${isSure ? "Joined beforehand, as it is likely" : "Joined"}: click who does not belong</h5>`
        : "";
  const walks = walksOf(tiles).map(
    (walk, n) =>
      `<div class="walk">${walk.map((tile, place) => figureHtml(tile, n + place === 0 ? caption : "", color, isLoose, thumbs)).join("")}</div>`,
  );
  return heading + walks.join("");
}

/**
 * Cut tiles into tracklets, or parts of one that fit a line.
 * @param {Tile[]} tiles
 */
export function walksOf(tiles) {
  /** @type {Tile[][]} */
  const walks = [];
  tiles.forEach((tile, place) => {
    if (place && tile.tracklet === tiles[place - 1].tracklet && walks.at(-1).length < WALK) walks.at(-1).push(tile);
    else walks.push([tile]);
  });
  return walks;
}

function figureHtml(tile, caption, color, isLoose, thumbs) {
  const hints = [
    tile.camera === null ? "image" : `camera ${tile.camera}`,
    !tile.isReliable && "below λ",
    isLoose && "same cluster, looks different",
  ];
  return (
    `<figure class="${tile.isReliable ? "" : "far"} ${isLoose ? "loose" : ""}" style="--c:${color}" data-image="${tile.image}" data-hint="${escape(hints.filter(Boolean).join(", "))}" role="checkbox" aria-label="${escape(hints.filter(Boolean).join(", "))}">` +
    `<figcaption>${escape(caption)}</figcaption>` +
    `<img src="${thumbs}${tile.token}" alt="" width="64" height="128" draggable="false">${ALIKE}</figure>`
  );
}
