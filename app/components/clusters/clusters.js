// The main page: all clusters as faces, the map beside them, and one that is opened to be judged.
import { fetchArrays, fetchLayout, remember, Scatter } from "../map/scatter.js";
import { keyName } from "../shared_js/keys.js";
import { Outbox } from "../shared_js/outbox.js";
import { count, counted, escape } from "../shared_js/text.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";
import { Zoom } from "../shared_js/zoom.js";
import { actOfTwoPeople, actsOfPerson } from "./acts.js";
import { clusterHtml, describeImage, imageHtml, refreshCluster, refreshImage } from "./cells.js";
import { WindowedGrid } from "./grid.js";
import { Naming } from "./naming.js";
import { OpenedPanel, shownOf } from "./opened.js";
import { doubtShares, isReliableAt, labelsOf, membersOf, straysOf, summarize, tokenOf } from "./summaries.js";
import {
  CHIPS,
  FIRST,
  SORTS,
  countChips,
  isFiltered,
  readView,
  selectClusters,
  selectImages,
  toggleChip,
  writeView,
} from "./view.js";
import { placeAfter } from "./windowing.js";
import { afterJudging, drop, joinParts, keptOf, openedOf, splitOff, swapParts } from "./work.js";

const TOAST_MS = 9000;
const ADDRESS_MS = 250; // the address follows when the view has come to rest
const MAP_HEIGHT = 250;
const SHAPES = {
  clusters: { least: 206, height: 128, gap: 10, isStretched: true },
  images: { least: 68, height: 148, gap: 6, isStretched: false },
};
const IS_TYPED = "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable]";

class ClustersPage {
  /** @type {any} What the server sent last. */
  data = null;
  /** @type {Scatter | undefined} The map, where there is one. */
  scatter;
  /** @type {import("./view.js").Known} */
  known = null;
  /** @type {import("./view.js").View} */
  view = FIRST;
  /** @type {import("./work.js").Opened | null} */
  opened = null;
  /** @type {Set<number>} */
  strays = new Set();
  /** @type {Map<number, number> | null} Images like one, with their cosines to it. */
  alike = null;
  /** @type {[number, number][]} Identities that look like what is open. */
  nearest = [];
  /** @type {number[]} Acts of each judgement, which one press of Undo takes back. */
  nActs = [];
  words = { one: PERSON, many: PEOPLE };

  /** @param {HTMLElement & { clusters?: ClustersPage }} root */
  constructor(root, workspace) {
    this.root = root;
    /** @type {(selector: string) => any} */
    this.find = (selector) => root.querySelector(selector);
    this.outbox = new Outbox(workspace, () => this.drawCount());
    this.zoom = new Zoom(this.find(".clusters-zoom"));
    this.panel = new OpenedPanel(this.find(".clusters-opened"));
    this.naming = new Naming(
      this.find(".clusters-over"),
      (who) => this.judge(who),
      (identity) => this.facesOfIdentity(identity),
    );
    this.grid = new WindowedGrid(this.find(".clusters-scroller"), this.source("clusters"), SHAPES.clusters);
    this.nameOfIdentity = (identity) => this.identities.get(identity)?.name ?? `person ${identity}`;
    this.colorOf = (identity) => this.identities.get(identity)?.color ?? "#888888";
    this.describe = (image) => describeImage(this.known, image);
    this.listen();
  }

  listen() {
    this.onKey = (event) => this.key(event);
    this.onResize = () => this.fitHeight();
    this.onBack = () => this.adopt(Object.fromEntries(new URLSearchParams(location.search)));
    document.addEventListener("keydown", this.onKey);
    addEventListener("resize", this.onResize);
    addEventListener("popstate", this.onBack);
    this.root.onclick = (event) => this.click(event);
    this.root.oninput = (event) => this.change(event, false);
    this.root.onchange = (event) => this.change(event, true);
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
    document.removeEventListener("keydown", this.onKey);
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
    this.drawBar();
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
    this.drawBar();
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
    this.drawBar();
    this.show();
    this.reopen();
    if (this.view.like === null) this.alike = null;
    else this.findAlike(this.rowOf(this.view.like));
  }

  /** @param {Partial<import("./view.js").View>} changes */
  setView(changes) {
    this.view = { ...this.view, ...changes };
    this.drawBar();
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
    this.drawCount();
    this.drawSummary(known);
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
    this.drawSummary(this.known);
    if (this.opened) this.panel.draw(this, this.opened, this.strays);
    if (!isRest) return;
    this.view = { ...this.view, lambda: lambda === this.data.lambda_ ? null : lambda };
    this.drawBar();
    if (this.view.sort === "lambda" || this.view.chips.includes("lost")) this.show(true);
    this.writeAddress();
  }

  // ---- drawing
  fitHeight() {
    const top = this.find(".clusters-body").getBoundingClientRect().top + scrollY;
    this.root.style.setProperty("--top", `${Math.round(top)}px`);
  }

  drawBar() {
    const { view, data, known } = this;
    const options = (pairs, chosen) =>
      pairs
        .map(
          ([value, text]) =>
            `<option value="${value}"${String(value) === String(chosen) ? " selected" : ""}>${escape(text)}</option>`,
        )
        .join("");
    const field = (name) => this.find(`[data-field="${name}"]`);
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll("[data-kind]")))
      button.setAttribute("aria-pressed", String(!this.alike && button.dataset.kind === view.kind));
    field("sort").innerHTML = options(Object.entries(SORTS), view.sort);
    field("camera").innerHTML = options(
      [["", "all"], ...data.cameras.map((name) => [name, String(name)])],
      view.camera ?? "",
    );
    this.find(".clusters-camera").hidden = data.cameras.length < 2;
    const named = (n) => (n === 0 ? "0: before training" : n === data.newest ? `${n}: newest` : String(n));
    field("iteration").innerHTML = options(
      Array.from({ length: data.newest + 1 }, (_, n) => [n, named(n)]),
      data.iteration,
    );
    this.find(".clusters-iteration").hidden = data.newest === 0;
    field("color").innerHTML = options(
      Object.keys(data.colorings).map((name) => [name, name === "reliable" ? "reliable" : name]),
      this.colorBy ?? "reliable",
    );
    for (const name of ["least", "most"])
      if (document.activeElement !== field(name)) field(name).value = view[name] ?? "";
    if (document.activeElement !== field("lambda") || view.lambda !== null) field("lambda").value = known.lambda;
    this.find(".clusters-lambda output").textContent = known.lambda === 0 ? "all" : known.lambda.toFixed(2);
    this.find('.clusters-bar [data-act="clear"]').hidden = !isFiltered(view) && !known.within && !this.alike;
    this.drawChips();
  }

  drawChips() {
    const { view, known } = this;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.chip;
    const counts = countChips(known);
    const chip = (name, text, n, isOn) =>
      `<button type="button" data-chip="${name}" aria-pressed="${isOn}"${n === 0 && !isOn ? " disabled" : ""}>${escape(text)} <b>${n === null ? "" : count(n)}</b>${isOn ? " ✕" : ""}</button>`;
    const names = Object.keys(CHIPS).filter((name) => name !== "one" || this.data.cameras.length > 1);
    const ours = names.map((name) => chip(name, CHIPS[name], counts[name], view.chips.includes(name)));
    if (known.within) ours.unshift(chip("within", "from the map", known.within.size, true));
    if (this.alike) ours.unshift(chip("like", "like one picture", this.alike.size, true));
    this.find(".clusters-chips").innerHTML = ours.join("");
    if (focused) this.find(`[data-chip="${focused}"]`)?.focus();
  }

  drawCount() {
    if (!this.known || !this.items) return;
    const { summaries, layout } = this.known;
    const [all, thing] = this.kind === "clusters" ? [summaries.n, "cluster"] : [layout.n, "image"];
    const n = this.items.length;
    const left = this.outbox.commits.length;
    this.root.dataset.open = String(left);
    const order = this.alike ? "most alike first" : SORTS[this.view.sort];
    const waits =
      this.view.sort === "doubt" && !this.known.doubtShares && this.root.dataset.doubts !== "unknown"
        ? " (measuring doubt …)"
        : "";
    this.find(".clusters-count").textContent =
      `${n === all ? counted(all, thing) : `${count(n)} of ${counted(all, thing)}`}, ${order} first${left ? " · saving …" : ""}${waits}`.replace(
        "first first",
        "first",
      );
  }

  drawSummary({ layout, summaries, lambda }) {
    const { purity } = this.data;
    const share = percent(layout.selection.share(lambda));
    const parts = [
      `<b>${counted(summaries.n, "cluster")}</b> of ${counted(layout.n, "image")}`,
      `<b>${share}</b> reliable at λ ${lambda === 0 ? "all" : lambda.toFixed(2)}`,
    ];
    if (purity.source === "annotations")
      parts.push(
        `<b>${percent(purity.overall)}</b> purity on the ${count(purity.n_people)} ${purity.n_people === 1 ? PERSON : PEOPLE} you labelled`,
      );
    if (purity.source === "truth")
      parts.push(
        `<b>${percent(purity.overall)}</b> purity by ground truth (${count(purity.n_people)} known; no label yet)`,
      );
    const html = parts.join(" · ");
    const element = this.find(".clusters-summary");
    if (element.innerHTML !== html) element.innerHTML = html;
  }

  // ---- the map
  drawMap() {
    const { data } = this;
    this.find(".clusters-map").hidden = !data.has_map;
    if (!data.has_map) return;
    const by = this.colorBy ?? "reliable";
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
    this.drawBar();
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
    try {
      const { images } = await this.ask(`alike=${image}`);
      this.alike = new Map(images);
      this.view = { ...this.view, like: this.known.layout.images[image] };
      this.drawBar();
      this.show();
      this.writeAddress();
    } catch (error) {
      this.toast(`Nothing found: ${messageOf(error)}`, { isRefused: true });
    }
  }

  // ---- judging
  /** @param {import("./work.js").Opened} opened */
  judged(opened) {
    const { layout, owners } = this.known;
    const ids = (images) => Array.from(images, (image) => layout.images[image]);
    const owned = new Map(opened.images.map((image) => [layout.images[image], owners[image]]));
    return {
      kept: ids(keptOf(opened)),
      dropped: ids(opened.images.filter((image) => opened.dropped.has(image))),
      owners: owned,
    };
  }

  actsFor(opened, who = {}) {
    return actsOfPerson(this.judged(opened), who);
  }

  judge(who = {}) {
    if (!this.opened) return;
    const acts = this.actsFor(this.opened, who);
    if (!acts.length) return;
    this.put(acts);
    this.setOpened(afterJudging(this.opened));
  }

  /** @param {import("../shared_js/types").Act[]} acts */
  put(acts) {
    if (!acts.length) return;
    this.nActs.push(acts.length);
    const seconds = (performance.now() - this.openedAt) / 1000 / acts.length;
    const card = `clusters-${this.known.layout.images[this.opened.images[0]]}`;
    for (const act of acts) this.outbox.put({ seconds, card, ...act });
    this.openedAt = performance.now();
  }

  undo() {
    const n = this.nActs.pop() ?? 1;
    for (let act = 0; act < n; act += 1) this.outbox.put({ kind: "undo" });
    this.find(".clusters-toast").hidden = true;
  }

  async split() {
    const { opened } = this;
    if (!opened) return;
    let away = opened.images.filter((image) => opened.dropped.has(image));
    if (!away.length) {
      if (!opened.clusters.length) return;
      try {
        away = (await this.ask(`split=${opened.clusters.join(",")}`)).images;
      } catch (error) {
        this.toast(`Not split: ${messageOf(error)}`, { isRefused: true });
        return;
      }
    }
    if (this.opened !== opened) return;
    const parts = splitOff(opened, away);
    if (parts) this.setOpened(parts);
    else this.toast(`These ${counted(opened.images.length, "image")} all look alike: there is nothing to split.`);
  }

  apart() {
    const { images, away } = this.opened;
    this.put([actOfTwoPeople(this.idsOf(images), this.idsOf(away))]);
  }

  add(cluster) {
    const more = shownOf(membersOf(this.known.summaries, cluster));
    const { opened } = this;
    const clusters = [...opened.clusters, cluster];
    this.opened = {
      ...opened,
      clusters,
      images: [...opened.images, ...more.filter((image) => !opened.images.includes(image))],
    };
    this.drawOpened();
    this.grid.refresh();
    this.markMap();
    this.findSimilar();
  }

  // ---- what a press does
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
    else if (tile) this.toggleTile(this.panel.placeOf(tile));
    else if (item) this.pressItem(Number(item.dataset.place), event.shiftKey || event.ctrlKey || event.metaKey);
  }

  act(name, cluster) {
    const acts = {
      person: () => this.judge(),
      name: () => this.naming.open(this.data.identities, this.nearest),
      drop: () =>
        this.setOpened(
          drop(
            this.opened,
            this.opened.images.filter((image) => this.strays.has(image)),
            true,
          ),
        ),
      keep: () => this.setOpened(drop(this.opened, this.opened.dropped, false)),
      split: () => this.split(),
      alike: () => this.findAlike(this.panel.image),
      label: () => this.send("card", { images: this.judged(this.opened).kept, at: Date.now() }),
      unsure: () => this.put([{ kind: "unsure", images: this.judged(this.opened).kept }]),
      junk: () => this.put([{ kind: "junk", images: this.judged(this.opened).kept }]),
      swap: () => this.setOpened(swapParts(this.opened)),
      join: () => this.setOpened(joinParts(this.opened)),
      apart: () => this.apart(),
      add: () => this.add(cluster),
      go: () => {
        this.open([cluster]);
        this.grid.reveal(cluster);
        this.panel.focus(0);
      },
      close: () => this.leavePanel(),
      clear: () => this.clear(),
      undo: () => this.undo(),
    };
    acts[name]();
  }

  leavePanel() {
    this.close();
    this.grid.focus();
  }

  clear() {
    this.known.within = null;
    this.alike = null;
    if (this.scatter) this.scatter.outline = [];
    this.setView({ chips: [], camera: null, least: null, most: null, like: null });
    this.markMap();
  }

  pressChip(name) {
    if (name === "within") {
      this.known.within = null;
      this.scatter.outline = [];
      this.markMap();
      this.setView({});
    } else if (name === "like") {
      this.alike = null;
      this.setView({ like: null });
    } else this.setView({ chips: toggleChip(this.view.chips, name) });
  }

  setKind(kind) {
    this.alike = null;
    this.setView({ kind, like: null });
  }

  pressItem(place, isAdded) {
    const item = this.grid.items[place];
    this.grid.mark(place);
    this.grid.elements.get(place)?.focus({ preventScroll: true });
    if (this.kind === "clusters") this.pressCluster(item, isAdded);
    else this.pressImage(item, isAdded);
  }

  pressCluster(cluster, isAdded) {
    const clusters = this.opened?.clusters ?? [];
    if (!isAdded) this.open([cluster]);
    else if (!clusters.includes(cluster)) this.open([...clusters, cluster]);
    else if (clusters.length > 1) this.open(clusters.filter((other) => other !== cluster));
    else this.close();
  }

  pressImage(image, isAdded) {
    const cluster = this.known.layout.clusters[image];
    const chosen = this.opened && !this.opened.clusters.length ? this.opened.images : [];
    if (isAdded && chosen.includes(image)) this.openImages(chosen.filter((other) => other !== image));
    else if (isAdded) this.openImages([...chosen, image]);
    else if (cluster >= 0) {
      this.open([cluster]);
      this.panel.current = Math.max(0, this.opened.images.indexOf(image));
      this.panel.drawn = "";
      this.panel.before = this.opened.images;
      this.drawOpened();
    }
  }

  toggleTile(place) {
    this.panel.focus(place);
    const { image } = this.panel;
    this.setOpened(drop(this.opened, [image], !this.opened.dropped.has(image)));
  }

  change({ target }, isRest) {
    const name = target.dataset?.field;
    const { value } = target;
    if (name === "lambda") this.setLambda(Number(value), isRest);
    if (!isRest) return;
    if (name === "sort") {
      this.alike = null;
      this.setView({ sort: value, like: null });
    } else if (name === "camera") this.setView({ camera: value === "" ? null : Number(value) });
    else if (name === "least" || name === "most") this.setView({ [name]: value >= 1 ? Math.floor(value) : null });
    else if (name === "iteration") this.send("iteration", Number(value));
    else if (name === "color") {
      this.colorBy = value;
      this.drawMap();
    }
  }

  key(event) {
    if (!this.known || event.altKey || !this.naming.element.hidden) return;
    const { target } = event;
    if (target.closest?.(IS_TYPED)) return;
    const key = keyName(event);
    const isHere = this.root.contains(target) || target === document.body;
    if ((event.ctrlKey || event.metaKey) && key === "z" && isHere) this.undo();
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
    if (this.grid.move(key)) return true;
    if (key === "Enter" && this.opened && this.isOpen(this.grid.items[this.grid.place])) this.judge();
    else if (key === "Enter" || key === " ") this.pressItem(this.grid.place, key === " " || event.shiftKey);
    else return this.keyOfPanel(key);
    return true;
  }

  isOpen(item) {
    return this.kind === "clusters" && this.opened.clusters.includes(item);
  }

  keyInPanel(key) {
    const { panel } = this;
    const n = this.opened.images.length;
    const place = placeAfter(key, { place: panel.current, n, columns: panel.columns, rowsInSight: 3 });
    if (place !== null) panel.focus(place);
    else if (key === " ") this.toggleTile(panel.current);
    else if (key === "Enter") this.judge();
    else return this.keyOfPanel(key);
    return true;
  }

  /** Letters that act on what is open, wherever the focus is in the grid or the panel. */
  keyOfPanel(key) {
    const acts = { n: "name", d: "drop", s: "split", f: "alike", Escape: "close" };
    if (!this.opened || !Object.hasOwn(acts, key)) return false;
    this.act(acts[key], 0);
    return true;
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

  isReliable(image) {
    return isReliableAt(this.known.layout, image, this.known.lambda);
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

const messageOf = (error) => String(error?.message ?? error);
const percent = (share) => `${(100 * share).toFixed(0)} %`;

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
