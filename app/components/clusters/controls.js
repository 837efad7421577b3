// What a press of the mouse or of a key does.
import { keyName } from "../shared_js/keys.js";
import { toggleChip } from "./view.js";
import { placeAfter } from "./windowing.js";
import { drop, joinParts, swapParts } from "./work.js";

const IS_TYPED = "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable]";

export class Controls {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    page.root.onclick = (event) => this.click(event);
    page.root.oninput = (event) => this.change(event, false);
    page.root.onchange = (event) => this.change(event, true);
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
  }

  click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    /** @type {HTMLElement | null} */
    const tile = target.closest(".clusters-tile");
    /** @type {HTMLElement | null} */
    const item = target.closest(".clusters-item");
    /** @type {HTMLElement | null} */
    const button = target.closest("button");
    if (button?.dataset.act) this.act(button.dataset.act, Number(button.dataset.cluster));
    else if (button?.dataset.chip) this.pressChip(button.dataset.chip);
    else if (button?.dataset.kind) this.setKind(button.dataset.kind);
    else if (tile) this.toggleTile(this.page.panel.placeOf(tile));
    else if (item) this.pressItem(Number(item.dataset.place), event.shiftKey || event.ctrlKey || event.metaKey);
  }

  act(name, cluster) {
    const acts = {
      person: () => this.page.judging.judge(),
      name: () => this.page.naming.open(this.page.data.identities, this.page.nearest),
      drop: () =>
        this.page.opening.set(
          drop(
            this.page.opened,
            this.page.opened.images.filter((image) => this.page.strays.has(image)),
            true,
          ),
        ),
      keep: () => this.page.opening.set(drop(this.page.opened, this.page.opened.dropped, false)),
      split: () => this.page.judging.split(),
      alike: () => this.page.findAlike(this.page.panel.image),
      label: () => this.page.send("card", { images: this.page.judging.judged(this.page.opened).kept, at: Date.now() }),
      unsure: () =>
        this.page.judging.put([{ kind: "unsure", images: this.page.judging.judged(this.page.opened).kept }]),
      junk: () => this.page.judging.put([{ kind: "junk", images: this.page.judging.judged(this.page.opened).kept }]),
      swap: () => this.page.opening.set(swapParts(this.page.opened)),
      join: () => this.page.opening.set(joinParts(this.page.opened)),
      apart: () => this.page.judging.apart(),
      add: () => this.page.judging.add(cluster),
      go: () => {
        this.page.opening.open([cluster]);
        this.page.grid.reveal(cluster);
        this.page.panel.focus(0);
      },
      close: () => this.leavePanel(),
      clear: () => this.clear(),
      undo: () => this.page.judging.undo(),
    };
    acts[name]();
  }

  leavePanel() {
    this.page.opening.close();
    this.page.grid.focus();
  }

  clear() {
    this.page.known.within = null;
    this.page.alike = null;
    if (this.page.scatter) this.page.scatter.outline = [];
    this.page.setView({ chips: [], camera: null, least: null, most: null, like: null });
    this.page.side.mark();
  }

  pressChip(name) {
    if (name === "within") {
      this.page.known.within = null;
      this.page.scatter.outline = [];
      this.page.side.mark();
      this.page.setView({});
    } else if (name === "like") {
      this.page.alike = null;
      this.page.setView({ like: null });
    } else this.page.setView({ chips: toggleChip(this.page.view.chips, name) });
  }

  setKind(kind) {
    this.page.alike = null;
    this.page.setView({ kind, like: null });
  }

  pressItem(place, isAdded) {
    const item = this.page.grid.items[place];
    this.page.grid.mark(place);
    this.page.grid.elements.get(place)?.focus({ preventScroll: true });
    if (this.page.kind === "clusters") this.pressCluster(item, isAdded);
    else this.pressImage(item, isAdded);
  }

  pressCluster(cluster, isAdded) {
    const clusters = this.page.opened?.clusters ?? [];
    if (!isAdded) this.page.opening.open([cluster]);
    else if (!clusters.includes(cluster)) this.page.opening.open([...clusters, cluster]);
    else if (clusters.length > 1) this.page.opening.open(clusters.filter((other) => other !== cluster));
    else this.page.opening.close();
  }

  pressImage(image, isAdded) {
    const cluster = this.page.known.layout.clusters[image];
    const chosen = this.page.opened && !this.page.opened.clusters.length ? this.page.opened.images : [];
    if (isAdded && chosen.includes(image)) this.page.opening.openImages(chosen.filter((other) => other !== image));
    else if (isAdded) this.page.opening.openImages([...chosen, image]);
    else if (cluster >= 0) {
      this.page.opening.open([cluster]);
      this.page.panel.current = Math.max(0, this.page.opened.images.indexOf(image));
      this.page.panel.drawn = "";
      this.page.panel.before = this.page.opened.images;
      this.page.opening.draw();
    }
  }

  toggleTile(place) {
    this.page.panel.focus(place);
    const { image } = this.page.panel;
    this.page.opening.set(drop(this.page.opened, [image], !this.page.opened.dropped.has(image)));
  }

  change({ target }, isRest) {
    const name = target.dataset?.field;
    const { value } = target;
    if (name === "lambda") this.page.setLambda(Number(value), isRest);
    if (!isRest) return;
    if (name === "sort") {
      this.page.alike = null;
      this.page.setView({ sort: value, like: null });
    } else if (name === "camera") this.page.setView({ camera: value === "" ? null : Number(value) });
    else if (name === "least" || name === "most") this.page.setView({ [name]: value >= 1 ? Math.floor(value) : null });
    else if (name === "iteration") this.page.send("iteration", Number(value));
    else if (name === "color") {
      this.page.colorBy = value;
      this.page.side.draw();
    }
  }

  key(event) {
    if (!this.page.known || event.altKey || this.page.naming.isOpen) return;
    const { target } = event;
    if (target.closest?.(IS_TYPED)) return;
    const key = keyName(event);
    const isHere = this.page.root.contains(target) || target === document.body;
    if ((event.ctrlKey || event.metaKey) && key === "z" && isHere) this.page.judging.undo();
    else if (event.ctrlKey || event.metaKey) return;
    else if (target.closest?.(".clusters-item")) {
      if (!this.keyInGrid(key, event)) return;
    } else if (target.closest?.(".clusters-tile")) {
      if (!this.keyInPanel(key)) return;
    } else if (isHere && !target.closest?.("button, [type=range]")) {
      if (!this.keyOfPanel(key)) return;
    } else return;
    event.preventDefault();
  }

  keyInGrid(key, event) {
    if (this.page.grid.move(key)) return true;
    if (key === "Enter" && this.page.opened && this.isOpen(this.page.grid.items[this.page.grid.place]))
      this.page.judging.judge();
    else if (key === "Enter" || key === " ") this.pressItem(this.page.grid.place, key === " " || event.shiftKey);
    else return this.keyOfPanel(key);
    return true;
  }

  isOpen(item) {
    return this.page.kind === "clusters" && this.page.opened.clusters.includes(item);
  }

  keyInPanel(key) {
    const { panel } = this.page;
    const n = this.page.opened.images.length;
    const place = placeAfter(key, { place: panel.current, n, columns: panel.columns, rowsInSight: 3 });
    if (place !== null) panel.focus(place);
    else if (key === " ") this.toggleTile(panel.current);
    else if (key === "Enter") this.page.judging.judge();
    else return this.keyOfPanel(key);
    return true;
  }

  /** Letters that act on what is open, wherever the focus is in the grid or the panel. */
  keyOfPanel(key) {
    const acts = { n: "name", d: "drop", s: "split", f: "alike", Escape: "close" };
    if (!this.page.opened || !Object.hasOwn(acts, key)) return false;
    this.act(acts[key], 0);
    return true;
  }
}
