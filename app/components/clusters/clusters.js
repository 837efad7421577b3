// The main page: all clusters as faces, the map beside them, and one that is opened to be judged.
import { fetchArrays, fetchLayout, remember } from "../map/scatter.js";
import { mounted } from "../shared_js/mounting.js";
import { NameField } from "../shared_js/name_field.js";
import { Outbox } from "../shared_js/outbox.js";
import { Toast } from "../shared_js/toast.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";
import { Zoom } from "../shared_js/zoom.js";
import { Bar } from "./bar.js";
import { clusterHtml, describeImage, imageHtml, refreshCluster, refreshImage } from "./cells.js";
import { Controls } from "./controls.js";
import { WindowedGrid } from "./grid.js";
import { Judging } from "./judging.js";
import { messageOf } from "./messages.js";
import { OpenedPanel } from "./opened.js";
import { Opening } from "./opening.js";
import { SideMap } from "./side_map.js";
import { doubtShares, labelsOf, membersOf, summarize, tokenOf } from "./summaries.js";
import { FIRST, readView, selectClusters, selectImages, writeView } from "./view.js";

const TOAST_MS = 9000;
const ADDRESS_MS = 250; // the address follows when the view has come to rest
const SHAPES = {
  clusters: { least: 206, height: 128, gap: 10, isStretched: true },
  images: { least: 68, height: 148, gap: 6, isStretched: false },
};

class ClustersPage {
  /** @type {any} What the server sent last. */
  data = null;
  /** @type {import("../map/scatter.js").Scatter | undefined} The map, where there is one. */
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

  /** @param {HTMLElement} root */
  constructor(root, workspace) {
    this.root = root;
    /** @type {(selector: string) => any} */
    this.find = (selector) => root.querySelector(selector);
    this.bar = new Bar(this);
    this.judging = new Judging(this);
    this.outbox = new Outbox(workspace, () => this.bar.drawCount());
    this.zoom = new Zoom(this.find(".clusters-zoom"));
    this.panel = new OpenedPanel(this.find(".clusters-opened"));
    this.opening = new Opening(this);
    this.side = new SideMap(this);
    this.toasts = new Toast(this.find(".clusters-toast"), TOAST_MS);
    this.naming = new NameField(this.find(".clusters-over"), {
      onChoose: ({ identity, name }) => this.judging.judge(identity === undefined ? { name } : { identity }),
      picturesOf: ({ identity }) => this.facesOfIdentity(identity),
      none: "Type a name.",
      takesNew: true,
    });
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
    if (!isSame) this.opening.reopen();
    else this.opening.draw();
    this.side.draw();
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
    this.opening.draw();
    this.root.dataset.doubts = layout.doubts ? "known" : "unknown";
  }

  hear(outcomes) {
    const news = this.outbox.news(outcomes);
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
    this.opening.reopen();
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
  // ---- opening
  async ask(question) {
    const answer = await fetch(`${this.data.similar_url}?${question}`);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
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

  /** @param {string} text */
  toast(text, { isRefused = false, hasUndo = false } = {}) {
    this.toasts.say(text, { isRefused, hasUndo });
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".clusters");
  const [page, leave] = mounted(
    root,
    (before) => before.data?.revision === data.revision,
    () => new ClustersPage(root, data.workspace),
  );
  page.update(data, setStateValue).catch((error) => {
    root.querySelector(".clusters-count").textContent = `The clusters cannot be shown: ${error.message}`;
  });
  return leave;
}
