// The main page: all clusters as faces, the map beside them, and one that is opened to be judged.
import { fetchArrays, fetchLayout, remember, Scatter } from "../map/scatter.js";
import { Outbox } from "../shared_js/outbox.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";
import { Zoom } from "../shared_js/zoom.js";
import { Bar } from "./bar.js";
import { clusterHtml, describeImage, imageHtml, refreshCluster, refreshImage } from "./cells.js";
import { Controls } from "./controls.js";
import { WindowedGrid } from "./grid.js";
import { Judging } from "./judging.js";
import { messageOf } from "./messages.js";
import { Naming } from "./naming.js";
import { OpenedPanel, shownOf } from "./opened.js";
import { doubtShares, labelsOf, membersOf, straysOf, summarize, tokenOf } from "./summaries.js";
import { FIRST, readView, selectClusters, selectImages, writeView } from "./view.js";
import { openedOf } from "./work.js";

const TOAST_MS = 9000;
const ADDRESS_MS = 250; // the address follows when the view has come to rest
const MAP_HEIGHT = 250;
const NARROW_PX = 800; // as in clusters.css: the panel stands below the grid
const SHAPES = {
  clusters: { least: 206, height: 128, gap: 10, isStretched: true },
  images: { least: 68, height: 148, gap: 6, isStretched: false },
};

class ClustersPage {
  /** @type {any} What the server sent last. */
  data = null;
  /** @type {Scatter | undefined} The map, where there is one. */
  scatter;
  /** @type {import("./view.js").Known} */
  known = null;
  /** @type {import("./view.js").View} */
  view = FIRST;
  /** What the map is coloured by. */
  colorBy = "reliable";
  /** @type {import("./work.js").Opened | null} */
  opened = null;
  /** @type {Set<number>} */
  strays = new Set();
  /** @type {Map<number, number> | null} Images like one, with their cosines to it. */
  alike = null;
  /** @type {[number, number][]} Identities that look like what is open. */
  nearest = [];
  words = { one: PERSON, many: PEOPLE };

  /** @param {HTMLElement & { clusters?: ClustersPage }} root */
  constructor(root, workspace) {
    this.root = root;
    /** @type {(selector: string) => any} */
    this.find = (selector) => root.querySelector(selector);
    this.bar = new Bar(this);
    this.judging = new Judging(this);
    this.outbox = new Outbox(workspace, () => this.bar.drawCount());
    this.zoom = new Zoom(this.find(".clusters-zoom"));
    this.panel = new OpenedPanel(this.find(".clusters-opened"));
    this.naming = new Naming(
      this.find(".clusters-over"),
      (who) => this.judging.judge(who),
      (identity) => this.facesOfIdentity(identity),
    );
    this.grid = new WindowedGrid(this.find(".clusters-scroller"), this.source("clusters"), SHAPES.clusters);
    this.nameOfIdentity = (identity) => this.identities.get(identity)?.name ?? `person ${identity}`;
    this.colorOf = (identity) => this.identities.get(identity)?.color ?? "#888888";
    this.describe = (image) => describeImage(this.known, image);
    this.controls = new Controls(this);
    this.listen();
  }

  listen() {
    this.onResize = () => this.fitHeight();
    this.onBack = () => this.adopt(Object.fromEntries(new URLSearchParams(location.search)));
    addEventListener("resize", this.onResize);
    addEventListener("popstate", this.onBack);
    this.root.onpointerover = (event) => {
      const target = /** @type {Element} */ (event.target);
      const item = target.closest(".clusters-item img, .clusters-tile");
      if (item && item !== this.hovered && !event.buttons) this.zoom.plan(item);
      else if (!item) this.zoom.hide();
      this.hovered = item;
    };
    this.root.onpointerleave = () => this.zoom.hide();
    this.root.onpointerdown = () => this.zoom.hide();
  }

  dispose() {
    this.controls.dispose();
    removeEventListener("resize", this.onResize);
    removeEventListener("popstate", this.onBack);
    clearTimeout(this.addressTimer);
    clearTimeout(this.toastTimer);
    this.zoom.hide();
    this.grid.dispose();
    this.outbox.dispose();
    this.scatter?.dispose();
  }

  // ---- what the server sends
  async update(data, send) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const before = this.data;
    this.send = send;
    this.outbox.acknowledge(data.stored);
    this.outbox.connect(send, data.name);
    this.hear(data.outcomes);
    const [layout, people] = await Promise.all([
      fetchLayout([data.layout_url]),
      remember(`of ${data.people_url}`, () => fetchArrays(data.people_url)),
    ]);
    if (turn !== this.turn) return; // a newer update overtook this one
    this.data = data;
    this.identities = new Map(data.identities.map((known) => [known.identity, known]));
    if (!before) this.view = readView(data.query);
    const isSame = this.known?.layout === layout;
    this.learn(layout, people, isSame);
    this.bar.draw();
    this.fitHeight();
    this.show(isSame);
    if (!isSame) this.reopen();
    else this.drawOpened();
    this.drawMap();
    this.root.dataset.ready = `${data.layout_url} ${data.people_url}`;
    if (!isSame && this.view.like !== null) this.findAlike(this.rowOf(this.view.like));
  }

  /** Count what can be counted at once; doubt, which needs features, follows. */
  learn(layout, { owners, purities }, isSame) {
    const { data } = this;
    layout.summaries ??= summarize(layout);
    const { summaries } = layout;
    const nLabelled = Int32Array.from(
      { length: summaries.n },
      (_, cluster) => labelsOf(membersOf(summaries, cluster), owners).nLabelled,
    );
    this.known = {
      layout,
      summaries,
      owners,
      purities,
      nLabelled,
      doubts: layout.doubts ?? null,
      doubtShares: layout.doubtShares ?? null,
      cameraNames: data.cameras,
      lambda: this.view.lambda ?? data.lambda_,
      within: isSame ? (this.known?.within ?? null) : null,
    };
    if (!layout.doubts) this.learnDoubts(layout);
  }

  async learnDoubts(layout) {
    try {
      const { doubts } = await remember(`of ${this.data.doubts_url}`, () => fetchArrays(this.data.doubts_url));
      layout.doubts = doubts;
      layout.doubtShares = doubtShares(layout.summaries, doubts);
    } catch {
      layout.doubtShares = null; // the features of an old iteration may be gone; all else still works
    }
    if (this.known?.layout !== layout) return;
    Object.assign(this.known, { doubts: layout.doubts ?? null, doubtShares: layout.doubtShares });
    this.bar.draw();
    this.show(true, this.view.sort !== "doubt" && !this.view.chips.includes("doubt"));
    this.drawOpened();
    this.root.dataset.doubts = layout.doubts ? "known" : "unknown";
  }

  hear(outcomes) {
    const news = outcomes.filter(({ token }) => this.heardOf && !this.heardOf.has(token));
    this.heardOf = new Set(outcomes.map(({ token }) => token));
    if (!news.length) return;
    const isUndo = news.every(({ kind }) => kind === "undo");
    const isRefused = news.some(({ is_refused: refused }) => refused);
    this.toast(news.map(({ text }) => text).join(" "), { isRefused, hasUndo: !isUndo && !isRefused });
  }

  rowOf(imageId) {
    return this.known.layout.images.indexOf(imageId); // ascending, but a search is not worth its lines
  }

  idsOf(images) {
    return Array.from(images, (image) => this.known.layout.images[image]);
  }

  // ---- the view
  adopt(query) {
    if (!this.known) return;
    this.view = readView(query);
    this.known.lambda = this.view.lambda ?? this.data.lambda_;
    this.known.within = null;
    this.bar.draw();
    this.show();
    this.reopen();
    if (this.view.like === null) this.alike = null;
    else this.findAlike(this.rowOf(this.view.like));
  }

  /** @param {Partial<import("./view.js").View>} changes */
  setView(changes) {
    this.view = { ...this.view, ...changes };
    this.bar.draw();
    this.show();
    this.writeAddress();
  }

  writeAddress() {
    clearTimeout(this.addressTimer);
    this.addressTimer = setTimeout(() => this.send("view", writeView(this.view)), ADDRESS_MS);
  }

  show(isKept = false, isOrderKept = false) {
    const { known, view, grid } = this;
    const kind = this.alike || view.kind === "images" ? "images" : "clusters";
    this.kind = kind;
    if (!isOrderKept) this.items = this.alike ? this.alikeImages() : this.select();
    const label = this.alike ? "Similar pictures" : kind === "images" ? "Pictures" : "Clusters";
    grid.canvas.setAttribute("aria-label", label);
    grid.show(this.items, { source: this.source(kind), shape: SHAPES[kind], isKept });
    this.root.dataset.view = kind;
    this.find(".clusters-none").hidden = this.items.length > 0;
    this.bar.drawCount();
    this.bar.drawSummary(known);
  }

  select() {
    return this.view.kind === "images" ? selectImages(this.known, this.view) : selectClusters(this.known, this.view);
  }

  alikeImages() {
    return Int32Array.from(this.alike.keys());
  }

  /** @returns {import("./grid.js").Source} */
  source(kind) {
    if (kind === "clusters")
      return {
        html: (cluster) => clusterHtml(this, cluster),
        refresh: (element, cluster) => refreshCluster(this, element, cluster),
      };
    return {
      html: (image) => imageHtml(this, image),
      refresh: (element, image) => refreshImage(this, element, image),
    };
  }

  setLambda(lambda, isRest) {
    this.known.lambda = lambda;
    this.find(".clusters-lambda output").textContent = lambda === 0 ? "all" : lambda.toFixed(2);
    this.grid.refresh();
    this.scatter?.layout && this.scatter.setLambda(lambda);
    this.bar.drawSummary(this.known);
    if (this.opened) this.panel.draw(this, this.opened, this.strays);
    if (!isRest) return;
    this.view = { ...this.view, lambda: lambda === this.data.lambda_ ? null : lambda };
    this.bar.draw();
    if (this.view.sort === "lambda" || this.view.chips.includes("lost")) this.show(true);
    this.writeAddress();
  }

  // ---- drawing
  fitHeight() {
    const top = this.find(".clusters-body").getBoundingClientRect().top + scrollY;
    this.root.style.setProperty("--top", `${Math.round(top)}px`);
  }

  // ---- the map
  drawMap() {
    const { data } = this;
    this.find(".clusters-map").hidden = !data.has_map;
    if (!data.has_map) return;
    const by = this.colorBy;
    const extra = { identity: data.identities_url, doubt: data.doubts_url }[by];
    try {
      this.scatter ??= new Scatter(this.find(".scatter"));
      const shown = {
        layout_urls: extra ? [data.layout_url, extra] : [data.layout_url],
        thumbs_url: data.thumbs,
        revision: data.revision,
        lambda_: this.known.lambda,
        color: data.colorings[by],
        quality: { purities: null, recalls: null, note: "" },
        cameras: data.cameras,
        height: MAP_HEIGHT,
        scale: 0.6,
      };
      const drawn = this.scatter.update(shown, (name, value) => this.hearMap(name, value));
      drawn.then(() => this.markMap()).catch((error) => this.failMap(error));
    } catch (error) {
      this.failMap(error);
    }
  }

  failMap(error) {
    const line = this.find(".clusters-map-error");
    line.hidden = false;
    line.textContent = `The map cannot be drawn: ${error.message}`;
  }

  hearMap(name, { kind, images }) {
    if (name !== "selection") return;
    if (kind === "cluster") {
      const cluster = this.known.layout.clusters[images[0]];
      this.open([cluster]);
      this.grid.reveal(cluster);
      return;
    }
    this.known.within = kind === "area" ? new Set(images) : null;
    this.bar.draw();
    this.show();
    if (kind === "none") this.close();
  }

  /** Show on the map what is open, or else what the lasso caught. */
  markMap() {
    if (!this.scatter?.layout) return;
    this.scatter.setSelected(this.opened ? [...this.opened.images] : [...(this.known.within ?? [])]);
  }

  // ---- opening
  reopen() {
    const isWorkedOn = this.opened && (this.opened.dropped.size > 0 || this.opened.away.length > 0);
    if (isWorkedOn) {
      // a new iteration came meanwhile: its clusters are others, the pictures are the same
      this.setOpened({ ...this.opened, clusters: [] });
      return;
    }
    const row = this.view.open === null ? -1 : this.rowOf(this.view.open);
    const cluster = row < 0 ? -1 : this.known.layout.clusters[row];
    if (cluster >= 0) this.open([cluster], { isQuiet: true });
    else this.close();
    if (cluster >= 0) this.grid.reveal(this.kind === "clusters" ? cluster : row);
  }

  /** @param {number[]} clusters Opened together, as one group. */
  open(clusters, { isQuiet = false } = {}) {
    const images = clusters.flatMap((cluster) => Array.from(membersOf(this.known.summaries, cluster)));
    this.opened = openedOf(clusters, shownOf(images));
    this.openedAt = performance.now();
    this.afterOpening(isQuiet);
  }

  openImages(images) {
    this.opened = images.length ? openedOf([], images) : null;
    this.openedAt = performance.now();
    this.afterOpening(false);
  }

  afterOpening(isQuiet) {
    const { layout, summaries, doubts } = this.known;
    this.nearest = [];
    this.strays = new Set();
    for (const cluster of this.opened?.clusters ?? [])
      for (const image of straysOf(layout, membersOf(summaries, cluster), doubts)) this.strays.add(image);
    const [first] = this.opened?.images ?? [];
    this.view = { ...this.view, open: first === undefined ? null : layout.images[first] };
    this.drawOpened();
    this.grid.refresh();
    this.markMap();
    if (!isQuiet) this.writeAddress();
    if (this.opened) this.findSimilar();
    if (this.opened && innerWidth <= NARROW_PX && !isQuiet) this.panel.element.scrollIntoView({ block: "start" });
  }

  close() {
    if (!this.opened) return;
    this.opened = null;
    this.view = { ...this.view, open: null };
    this.drawOpened();
    this.grid.refresh();
    this.markMap();
    this.writeAddress();
  }

  drawOpened() {
    const { layout, summaries, doubts } = this.known;
    for (const cluster of this.opened?.clusters ?? [])
      for (const image of straysOf(layout, membersOf(summaries, cluster), doubts)) this.strays.add(image);
    this.panel.draw(this, this.opened, this.strays);
    this.root.dataset.opened = this.opened ? this.opened.clusters.join(" ") || "images" : "";
  }

  setOpened(opened) {
    this.opened = opened;
    this.drawOpened();
    this.markMap();
  }

  async ask(question) {
    const answer = await fetch(`${this.data.similar_url}?${question}`);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  async findSimilar() {
    const { opened, known } = this;
    const asked = opened.clusters.length
      ? opened.clusters.map((cluster) => known.layout.centers[cluster])
      : opened.images.slice(0, 50);
    this.panel.drawSimilar(this, null);
    try {
      const { clusters, identities } = await this.ask(`to=${asked.slice(0, 200).join(",")}`);
      if (this.opened?.clusters !== opened.clusters) return; // another one was opened meanwhile
      this.nearest = identities;
      this.panel.drawSimilar(this, clusters);
      this.naming.suggest(identities);
    } catch (error) {
      if (this.opened?.clusters === opened.clusters) this.panel.drawSimilar(this, null, messageOf(error));
    }
  }

  async findAlike(image) {
    if (image < 0) return;
    this.find(".clusters-count").textContent = "Looking for similar pictures …";
    try {
      const { images } = await this.ask(`alike=${image}`);
      this.alike = new Map(images);
      this.view = { ...this.view, like: this.known.layout.images[image] };
      this.bar.draw();
      this.show();
      this.writeAddress();
    } catch (error) {
      this.bar.drawCount();
      this.toast(`Nothing found: ${messageOf(error)}`, { isRefused: true });
    }
  }

  // ---- words
  labelText(cluster) {
    const { summaries, owners } = this.known;
    const { identity, nIdentities } = labelsOf(membersOf(summaries, cluster), owners);
    if (!identity) return "";
    return nIdentities > 1 ? `${this.nameOfIdentity(identity)} +${nIdentities - 1}` : this.nameOfIdentity(identity);
  }

  facesOfIdentity(identity) {
    const { owners, layout } = this.known;
    const faces = [];
    for (let image = 0; image < layout.n && faces.length < 3; image += 1)
      if (owners[image] === identity) faces.push(this.data.thumbs + tokenOf(layout, image));
    return faces;
  }

  toast(text, { isRefused = false, hasUndo = false } = {}) {
    const toast = this.find(".clusters-toast");
    toast.querySelector("span").textContent = text;
    toast.querySelector("button").hidden = !hasUndo;
    toast.classList.toggle("refused", isRefused);
    toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      toast.hidden = true;
    }, TOAST_MS);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".clusters");
  if (root.clusters && root.clusters.data?.revision !== data.revision) {
    root.clusters.dispose();
    root.clusters = null;
  }
  root.clusters ??= new ClustersPage(root, data.workspace);
  root.clusters.update(data, setStateValue).catch((error) => {
    root.querySelector(".clusters-count").textContent = `The clusters cannot be shown: ${error.message}`;
  });
  return () => {
    root.clusters?.dispose();
    root.clusters = null;
  };
}
