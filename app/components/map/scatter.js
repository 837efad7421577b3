// The map of all images: pan, zoom, lasso, box, click, hover, and λ live.
import { escape } from "../shared_js/text.js";
import { boxAround, isInside, parseArrays } from "./geometry.js";
import { Points } from "./points.js";
import { Selection, SelectionChart } from "./selection.js";

const layouts = new Map(); // the last few layouts by address, so that going back costs nothing
const GLIDE_MS = 400;
const CLICK_PX = 4;
const REACH_PX = 12;

export function remember(key, make) {
  if (!layouts.has(key)) {
    if (layouts.size > 15) layouts.delete(layouts.keys().next().value);
    layouts.set(key, make());
    layouts.get(key).catch(() => layouts.delete(key));
  }
  return layouts.get(key);
}

// A base and the layers over it, each fetched once; the same addresses give the same object.
export function fetchLayout(urls) {
  return remember(urls.join(" "), async () => {
    const parts = await Promise.all(urls.map((url) => remember(`of ${url}`, () => fetchArrays(url))));
    const layout = Object.assign({}, ...parts);
    layout.n = layout.clusters.length;
    layout.isCenter = new Uint8Array(layout.n);
    for (const center of layout.centers) layout.isCenter[center] = 1;
    layout.selection = new Selection(layout);
    return layout;
  });
}

export async function fetchArrays(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(await response.text());
  return parseArrays(await response.arrayBuffer());
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

export class Scatter {
  /** @type {import("../shared_js/types").Layout & { selection: Selection }} */
  layout;
  mode = "lasso";
  /** @type {number[][]} What is being drawn with the pointer, in data units. */
  outline = [];
  /** @type {number[]} */
  selected = [];

  /** @param {HTMLElement & { scatter?: Scatter }} root */
  constructor(root) {
    this.root = root;
    /** @type {(selector: string) => any} */
    this.find = (selector) => root.querySelector(selector);
    const { find } = this;
    this.canvas = find("canvas");
    this.points = new Points(this.canvas);
    this.chart = new SelectionChart(root);
    this.slider = find(".scatter-plot input");
    /** @type {NodeListOf<HTMLButtonElement>} */
    this.modes = root.querySelectorAll("[data-mode]");
    for (const button of this.modes) button.onclick = () => this.setMode(button.dataset.mode);
    find("[data-fit]").onclick = () => {
      this.fit();
      this.draw();
    };
    find("[data-clear]").onclick = () => this.select("none", []);
    this.slider.oninput = () => this.setLambda(Number(this.slider.value));
    this.slider.onchange = () => this.send("lambda_", { value: this.lambda, from: this.data.lambda_ });
    this.canvas.onpointerdown = (event) => this.press(event);
    this.canvas.onpointermove = (event) => this.move(event);
    this.canvas.onpointerup = (event) => this.release(event);
    this.canvas.onpointerleave = () => this.hidePeek();
    this.canvas.ondblclick = () => {
      this.fit();
      this.draw();
    };
    this.canvas.addEventListener("wheel", (event) => this.zoom(event), { passive: false });
    this.observer = new ResizeObserver(() => {
      if (this.layout) {
        if (this.isFitted) this.fit();
        this.draw();
      }
    });
    this.observer.observe(this.canvas);
  }

  dispose() {
    this.observer.disconnect();
    this.chart.dispose();
    this.points.dispose();
  }

  // ---- what the server sends
  async update(data, send) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.send = send;
    const layout = await fetchLayout(data.layout_urls);
    if (turn !== this.turn) return; // a newer update overtook this one
    const before = this.data;
    const isSameRun = before?.revision === data.revision && this.layout?.n === layout.n;
    if (!isSameRun || before.lambda_ !== data.lambda_) this.lambda = data.lambda_;
    this.data = data;
    this.root.style.setProperty("--scatter-height", `${data.height}px`);
    if (this.layout !== layout) this.setLayout(layout, isSameRun, data);
    if (!isSameRun) this.selected = [];
    this.setColors();
    this.setSelected(this.selected);
    this.chart.set(layout.selection, data.quality);
    this.setLambda(this.lambda);
    this.showMode();
    this.root.dataset.ready = data.layout_urls.join(" ");
  }

  setLayout(layout, isSameRun, data) {
    const from = isSameRun ? this.layout.points : layout.points;
    this.layout = layout;
    this.points.set({ from, to: layout.points, similarity: layout.similarities });
    this.points.uniforms.size =
      (layout.n < 1500 ? 9 : layout.n < 5000 ? 7 : layout.n < 30000 ? 5.5 : 4) * (data.scale ?? 1);
    if (!isSameRun || this.isFitted) this.fit();
    this.outline = [];
    if (isSameRun && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.glide();
    else this.points.uniforms.step_ = 1;
  }

  glide() {
    const started = performance.now();
    const turn = (this.gliding = {});
    const frame = (now) => {
      if (turn !== this.gliding) return;
      const t = Math.min(1, Math.max(0, (now - started) / GLIDE_MS));
      this.points.uniforms.step_ = t * t * (3 - 2 * t);
      this.paint();
      if (t < 1) requestAnimationFrame(frame);
    };
    this.points.uniforms.step_ = 0;
    requestAnimationFrame(frame);
  }

  setColors() {
    const { layout, data } = this;
    const { by, colors, range, is_smooth: isSmooth } = data.color;
    const style = getComputedStyle(this.root);
    const ink = style.color
      .match(/[\d.]+/g)
      .slice(0, 3)
      .map((value) => Number(value) / 255);
    const sources = {
      cosine: layout.similarities,
      camera: layout.cameras,
      cluster: layout.clusters,
      identity: layout.identities,
      doubt: layout.doubts,
    };
    const source = sources[by] ?? layout.clusters;
    const n = by === "cluster" ? colors.length : 0;
    const code = Float32Array.from(source, (value) => (n && value >= 0 ? (value * 7) % n : value));
    this.points.set({ code });
    this.points.setPalette(colors.map(rgb), isSmooth);
    Object.assign(this.points.uniforms, { range, ink, isByReliable: Number(by === "reliable") });
    this.find(".scatter-legend").innerHTML = data.color.labels
      .map(
        ([label, css, kind]) =>
          `<span><i class="${escape(kind)}" style="--c:${escape(css)}"></i>${escape(label)}</span>`,
      )
      .join("");
  }

  setSelected(images) {
    const { layout } = this;
    this.selected = images;
    const mark = Float32Array.from(layout.isCenter);
    for (const image of images) mark[image] += 2;
    this.points.set({ mark });
    this.points.uniforms.isDimmed = Number(images.length > 0);
    this.find("[data-clear]").disabled = images.length === 0;
    this.draw();
  }

  setLambda(value) {
    this.lambda = value;
    this.slider.value = value;
    this.points.uniforms.lambda = value;
    this.draw();
    this.chart.setLambda(value, this.data.lambda_);
  }

  isReliable(image) {
    const { isCenter, similarities } = this.layout;
    return this.lambda === 0 || isCenter[image] === 1 || similarities[image] > Math.fround(this.lambda);
  }

  // ---- the view: middle in data units, perUnit in CSS pixels
  fit() {
    const { points, n } = this.layout;
    const low = [Infinity, Infinity];
    const high = [-Infinity, -Infinity];
    for (let i = 0; i < 2 * n; i += 1) {
      low[i % 2] = Math.min(low[i % 2], points[i]);
      high[i % 2] = Math.max(high[i % 2], points[i]);
    }
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const span = [0, 1].map((k) => Math.max(high[k] - low[k], 1e-6));
    this.isFitted = true;
    this.view = n
      ? {
          middle: [0, 1].map((k) => (high[k] + low[k]) / 2),
          perUnit: Math.min((width - 40) / span[0], (height - 40) / span[1]),
        }
      : { middle: [0, 0], perUnit: 1 };
  }

  toScreen(x, y) {
    const { middle, perUnit } = this.view;
    return [
      this.canvas.clientWidth / 2 + (x - middle[0]) * perUnit,
      this.canvas.clientHeight / 2 - (y - middle[1]) * perUnit,
    ];
  }

  toData(x, y) {
    const { middle, perUnit } = this.view;
    return [
      middle[0] + (x - this.canvas.clientWidth / 2) / perUnit,
      middle[1] - (y - this.canvas.clientHeight / 2) / perUnit,
    ];
  }

  screenOf(image) {
    return this.toScreen(this.layout.points[2 * image], this.layout.points[2 * image + 1]);
  }

  zoom(event) {
    event.preventDefault();
    const [x, y] = this.toData(event.offsetX, event.offsetY);
    const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015));
    const { middle, perUnit } = this.view;
    this.view = { middle: [x + (middle[0] - x) / factor, y + (middle[1] - y) / factor], perUnit: perUnit * factor };
    this.isFitted = false;
    this.draw();
  }

  draw() {
    if (!this.frame)
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        this.paint();
      });
  }

  paint() {
    this.points.draw(this.view);
    this.paintOutline();
  }

  paintOutline() {
    const path = this.outline.map(([x, y]) =>
      this.toScreen(x, y)
        .map((v) => v.toFixed(1))
        .join(" "),
    );
    this.find(".scatter-outline path").setAttribute("d", path.length ? `M${path.join("L")}Z` : "");
  }

  // ---- the pointer
  press(event) {
    if (event.button !== 0 || !this.layout) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { start: [event.offsetX, event.offsetY], last: [event.offsetX, event.offsetY], isMoved: false };
    this.hidePeek();
  }

  move(event) {
    const here = [event.offsetX, event.offsetY];
    if (!this.drag) return this.hover(here);
    const { drag } = this;
    drag.isMoved ||= Math.hypot(here[0] - drag.start[0], here[1] - drag.start[1]) > CLICK_PX;
    if (!drag.isMoved) return undefined;
    if (this.mode === "pan") this.pan(here);
    else if (this.mode === "box") this.outline = boxAround(this.toData(...drag.start), this.toData(...here));
    else this.outline = [...(drag.isDrawing ? this.outline : [this.toData(...drag.start)]), this.toData(...here)];
    drag.isDrawing = true;
    drag.last = here;
    return this.mode === "pan" ? this.draw() : this.paintOutline(); // the points stay as they are
  }

  release(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (!drag.isMoved) this.click([event.offsetX, event.offsetY]);
    else if (this.mode !== "pan") this.selectInside(event.shiftKey);
  }

  pan(here) {
    const { middle, perUnit } = this.view;
    const { last } = this.drag;
    this.view = {
      middle: [middle[0] - (here[0] - last[0]) / perUnit, middle[1] + (here[1] - last[1]) / perUnit],
      perUnit,
    };
    this.isFitted = false;
  }

  click(here) {
    const image = this.nearest(here);
    if (image < 0) return;
    const { clusters } = this.layout;
    this.select(
      "cluster",
      Array.from(clusters.keys()).filter((i) => clusters[i] === clusters[image]),
    );
  }

  selectInside(isAdded) {
    const { points, n } = this.layout;
    const images = new Set(isAdded ? this.selected : []);
    for (let i = 0; i < n; i += 1) if (isInside(points[2 * i], points[2 * i + 1], this.outline)) images.add(i);
    this.select(
      images.size ? "area" : "none",
      [...images].sort((a, b) => a - b),
    );
  }

  select(kind, images) {
    if (kind !== "area") this.outline = [];
    this.send("selection", { kind, images }); // first, so that the server works while we draw
    this.setSelected(images);
  }

  nearest([x, y]) {
    const { points, n } = this.layout;
    const [dataX, dataY] = this.toData(x, y);
    let best = (REACH_PX / this.view.perUnit) ** 2;
    let found = -1;
    for (let i = 0; i < n; i += 1) {
      const distance = (points[2 * i] - dataX) ** 2 + (points[2 * i + 1] - dataY) ** 2;
      if (distance < best) {
        best = distance;
        found = i;
      }
    }
    return found;
  }

  hover(here) {
    this.hovered = here;
    if (!this.layout || this.hovering) return;
    this.hovering = requestAnimationFrame(() => {
      this.hovering = null;
      const image = this.hovered ? this.nearest(this.hovered) : -1;
      if (image < 0) this.hidePeek();
      else this.showPeek(image);
    });
  }

  showPeek(image) {
    const { layout, data } = this;
    const peek = this.find(".scatter-peek");
    const [x, y] = this.screenOf(image);
    if (peek.dataset.image !== String(image)) {
      const length = layout.tokens.length / layout.n;
      const token = new TextDecoder().decode(layout.tokens.subarray(image * length, (image + 1) * length));
      const camera = layout.cameras[image] < 0 ? "" : `camera ${escape(data.cameras[layout.cameras[image]])}<br>`;
      peek.querySelector("img").src = data.thumbs_url + token;
      peek.querySelector("span").innerHTML =
        `cluster ${layout.clusters[image]}<br>${camera}cosine ${layout.similarities[image].toFixed(2)}<br>` +
        (layout.isCenter[image] ? "center" : this.isReliable(image) ? "reliable" : "not reliable");
      peek.dataset.image = image;
    }
    peek.style.left = `${x + 200 > this.canvas.clientWidth ? x - 190 : x + 14}px`;
    peek.style.top = `${Math.max(4, Math.min(y - 60, this.canvas.clientHeight - 148))}px`;
    peek.hidden = false;
    this.canvas.style.cursor = "pointer";
  }

  hidePeek() {
    this.hovered = null;
    this.find(".scatter-peek").hidden = true;
    this.find(".scatter-peek").dataset.image = "";
    this.canvas.style.cursor = "";
  }

  setMode(mode) {
    this.mode = mode;
    this.showMode();
  }

  showMode() {
    this.root.dataset.drag = this.mode;
    for (const button of this.modes) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === this.mode));
    }
  }
}
