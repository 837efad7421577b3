// What λ selects, over its slider: the cosines, and share, purity and recall against λ.
import { count } from "../shared_js/text.js";

const N_BINS = 50;
const PAPER_LAMBDA = 0.85;
const INSET_PX = 8; // half a slider's thumb: so the line of λ stands over it

// Counts in the time of a search, so that every step of the slider is free.
export class Selection {
  /** @param {import("../shared_js/types").Layout} layout */
  constructor(layout) {
    const { similarities, clusters, centers, isCenter, n } = layout;
    const others = new Float32Array(n - centers.length);
    const best = new Float32Array(centers.length).fill(-Infinity); // nearest to each center
    let at = 0;
    for (let image = 0; image < n; image += 1) {
      if (isCenter[image]) continue;
      others[at] = similarities[image];
      best[clusters[image]] = Math.max(best[clusters[image]], others[at]);
      at += 1;
    }
    this.n = n;
    this.nClusters = centers.length;
    this.others = others.sort();
    this.best = best.filter((c) => c > -Infinity).sort();
    this.bins = new Int32Array(N_BINS);
    for (const cosine of others) this.bins[Math.min(N_BINS - 1, Math.max(0, Math.floor(cosine * N_BINS)))] += 1;
  }

  /** @param {number} lambda */
  nReliable(lambda) {
    return lambda === 0 ? this.n : this.nClusters + above(this.others, lambda);
  }

  /** @param {number} lambda */
  nKept(lambda) {
    return lambda === 0 ? this.best.length : above(this.best, lambda);
  }

  /** @param {number} lambda */
  share(lambda) {
    return this.n ? this.nReliable(lambda) / this.n : 0;
  }
}

/**
 * How many are above λ, both as the cosines are: 32 bits.
 * @param {Float32Array} ascending
 * @param {number} lambda
 */
function above(ascending, lambda) {
  const value = Math.fround(lambda);
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return ascending.length - low;
}

export class SelectionChart {
  /** @type {Selection | undefined} */
  selection;
  /** @type {any} Purity and recall, and what they were counted on. */
  quality;
  lambda = 0;
  used = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.find = (name) => root.querySelector(name);
    this.chart = this.find(".scatter-chart");
    this.observer = new ResizeObserver(() => this.drawCurves());
    this.observer.observe(this.chart);
  }

  dispose() {
    this.observer.disconnect();
  }

  set(selection, quality) {
    this.selection = selection;
    this.quality = quality;
    this.find(".scatter-note").textContent = quality.note;
    this.drawCurves();
  }

  x(lambda) {
    return INSET_PX + lambda * (this.chart.clientWidth - 2 * INSET_PX);
  }

  y(share) {
    return 4 + (1 - share) * (this.chart.clientHeight - 8);
  }

  drawCurves() {
    const { selection, quality } = this;
    if (!selection || !this.chart.clientWidth) return;
    const most = Math.max(1, ...selection.bins);
    const bars = Array.from(selection.bins, (n, bin) => {
      const [left, right] = [this.x(bin / N_BINS), this.x((bin + 1) / N_BINS)];
      return n ? `M${left} ${this.y(0)}V${this.y(n / most)}H${right - 1}V${this.y(0)}Z` : "";
    });
    this.find(".scatter-bars").setAttribute("d", bars.join(""));
    this.find(".scatter-levels").setAttribute(
      "d",
      [0, 0.5, 1].map((s) => `M${this.x(0)} ${this.y(s)}H${this.x(1)}`).join(""),
    );
    this.find(".scatter-paper").setAttribute("d", `M${this.x(PAPER_LAMBDA)} 0V${this.chart.clientHeight}`);
    const steps = Array.from({ length: 101 }, (_, step) => step / 100);
    this.drawLine(
      "reliable",
      steps.map((lambda) => selection.share(lambda)),
    );
    this.drawLine("purity", quality.purities);
    this.drawLine("recall", quality.recalls);
    this.setLambda(this.lambda);
  }

  drawLine(name, shares) {
    let isDown = false;
    const parts = (shares ?? []).map((share, step) => {
      if (share === null) {
        isDown = false;
        return "";
      }
      const word = isDown ? "L" : "M";
      isDown = true;
      return `${word}${this.x(step / (shares.length - 1)).toFixed(1)} ${this.y(share).toFixed(1)}`;
    });
    this.find(`.scatter-line.${name}`).setAttribute("d", parts.join(""));
  }

  setLambda(lambda, used = this.used) {
    this.lambda = lambda;
    this.used = used;
    const { selection, quality } = this;
    this.find(".scatter-now").setAttribute("d", `M${this.x(lambda)} 0V${this.chart.clientHeight}`);
    this.find("output").textContent = lambda === 0 ? "all" : lambda.toFixed(2);
    const isMoved = Math.abs(lambda - used) >= 0.005;
    this.find(".scatter-used").textContent = isMoved ? `run used λ ${used ? used.toFixed(2) : "all"}` : "";
    const step = Math.round(lambda * 100);
    const nReliable = selection.nReliable(lambda);
    this.find(".scatter-counts").innerHTML =
      row("reliable", selection.share(lambda), "reliable", `${count(nReliable)} of ${count(selection.n)} images`) +
      `<li><span>${count(selection.nKept(lambda))} of ${count(selection.nClusters)} clusters kept</span></li>` +
      (quality.purities
        ? row("purity", quality.purities[step], "purity") + row("recall", quality.recalls[step], "recall")
        : "");
  }
}

function row(name, share, word, more = "") {
  const percent = share === null ? "–" : `${(100 * share).toFixed(1)} %`;
  return `<li class="${name}"><i></i><b>${percent}</b> ${word} <span>${more}</span></li>`;
}
