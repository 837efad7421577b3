// The panel of an opened cluster: its pictures, and what can be said about them.
import { counted, escape } from "../shared_js/text.js";
import { personText } from "./acts.js";
import { facesOf, isReliableAt, membersOf, sizeOf, tokenOf } from "./summaries.js";
import { keptOf } from "./work.js";

const MOST_TILES = 1000; // of very large groups the nearest; only what is shown is labelled
const N_SIMILAR_FACES = 5;

/**
 * The pictures of a group that the panel shows, and that it labels.
 * @param {Iterable<number>} images
 */
export const shownOf = (images) => [...images].slice(0, MOST_TILES);

export class OpenedPanel {
  current = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    /** @type {(name: string) => any} */
    this.find = (name) => element.querySelector(`.clusters-${name}`);
    this.tiles = this.find("tiles");
  }

  /**
   * @param {any} page What the page knows: `known`, `data`, `nameOfIdentity`.
   * @param {import("./work.js").Opened | null} opened
   * @param {Set<number>} strays
   */
  draw(page, opened, strays) {
    this.element.hidden = opened === null;
    if (opened === null) {
      this.drawn = "";
      this.tiles.innerHTML = "";
      return;
    }
    const drawn = `${page.data.layout_url} ${opened.images.join(" ")}`;
    if (this.drawn !== drawn) this.drawTiles(page, opened);
    this.drawn = drawn;
    this.mark(page, opened, strays);
    this.drawFacts(page, opened);
    this.drawButtons(page, opened, strays);
    this.drawAway(page, opened);
  }

  drawTiles(page, { images }) {
    const { layout, cameraNames } = page.known;
    this.current = Math.min(this.current, images.length - 1);
    if (this.isOther(images)) this.current = 0;
    this.before = images;
    this.tiles.innerHTML = images
      .map((image, place) => {
        const camera = layout.cameras[image] < 0 ? "" : `c${cameraNames[layout.cameras[image]]}`;
        return (
          `<div class="clusters-tile" role="option" data-image="${image}" tabindex="${place === this.current ? 0 : -1}">` +
          `<img src="${page.data.thumbs}${tokenOf(layout, image)}" alt="" width="52" height="104" loading="lazy" decoding="async">` +
          `<span>${escape(camera)}</span><b>${layout.isCenter[image] ? "center" : layout.similarities[image].toFixed(2)}</b></div>`
        );
      })
      .join("");
  }

  isOther(images) {
    return !this.before || this.before[0] !== images[0];
  }

  mark(page, opened, strays) {
    const { layout, lambda, owners } = page.known;
    for (const tile of this.tiles.children) {
      const image = Number(tile.dataset.image);
      const isDropped = opened.dropped.has(image);
      const isReliable = isReliableAt(layout, image, lambda);
      const owner = owners[image];
      tile.classList.toggle("dropped", isDropped);
      tile.classList.toggle("stray", strays.has(image));
      tile.classList.toggle("far", !isReliable);
      tile.classList.toggle("center", layout.isCenter[image] === 1);
      tile.setAttribute("aria-selected", String(!isDropped));
      tile.style.setProperty("--owner", owner > 0 ? page.colorOf(owner) : "transparent");
      const words = [
        page.describe(image),
        strays.has(image) && "may be somebody else",
        owner > 0 && page.nameOfIdentity(owner),
        owner === -1 && "junk",
        owner === -2 && "unsure",
        isDropped && "dropped",
      ].filter(Boolean);
      tile.setAttribute("aria-label", words.join(", "));
      tile.dataset.hint = words.join(" · ");
    }
  }

  drawFacts(page, { clusters, images }) {
    const { layout, summaries, lambda, purities, doubtShares } = page.known;
    const [cluster] = clusters;
    const size = clusters.reduce((sum, each) => sum + sizeOf(summaries, each), 0);
    const isWhole = clusters.length === 1 && images.length === size;
    const what =
      clusters.length === 0 ? "Chosen: " : clusters.length === 1 ? "Cluster of " : `${clusters.length} clusters, `;
    this.find("title").textContent =
      images.length < size
        ? `${images.length} of the ${counted(size, "image")}`
        : `${what}${counted(images.length, "image")}`;
    const nReliable = images.filter((image) => isReliableAt(layout, image, lambda)).length;
    const facts = [
      camerasIn(page.known, images),
      isWhole && `cohesion ${summaries.cohesions[cluster].toFixed(2)}`,
      `${nReliable} of ${images.length} reliable`,
      isWhole && doubtShares && `${percentOf(doubtShares[cluster])} in doubt`,
      isWhole && purities && !Number.isNaN(purities[cluster]) && purityText(page, purities[cluster]),
    ];
    this.find("opened-facts").textContent = facts.filter(Boolean).join(" · ");
  }

  drawButtons(page, opened, strays) {
    const judged = page.judging.judged(opened);
    const text = personText(judged, page.nameOfIdentity, counted);
    const left = opened.images.filter((image) => strays.has(image) && !opened.dropped.has(image)).length;
    /** @type {(name: string) => HTMLButtonElement} */
    const button = (name) => this.element.querySelector(`[data-act="${name}"]`);
    button("person").firstChild.textContent = `${text} `;
    button("person").disabled = page.judging.actsFor(opened).length === 0;
    button("drop").firstChild.textContent = left ? `Drop ${counted(left, "stray")} ` : "Drop strays ";
    button("drop").disabled = left === 0;
    button("keep").hidden = opened.dropped.size === 0;
    button("keep").textContent = `Take ${opened.dropped.size} back`;
    button("split").disabled = opened.images.length < 2;
    button("split").title = opened.dropped.size
      ? "What was dropped becomes a group of its own"
      : "Two groups, by what looks alike (2-means)";
    button("label").hidden = keptOf(opened).every((image) => page.known.owners[image] > 0);
    for (const name of ["name", "unsure", "junk"]) button(name).disabled = !judged.kept.length;
  }

  drawAway(page, { away, images }) {
    const box = this.find("away");
    box.hidden = away.length === 0;
    if (!away.length) return;
    box.innerHTML =
      `<p>Split off: <b>${counted(away.length, "image")}</b></p><div class="clusters-faces">${this.facesHtml(page, away.slice(0, 7))}</div>` +
      `<div class="clusters-acts"><button type="button" data-act="swap">Look at these</button>` +
      `<button type="button" data-act="apart" title="Stored: these ${away.length} and the ${images.length} above are not the same">Two different ${page.words.many}</button>` +
      `<button type="button" data-act="join">Back together</button></div>`;
  }

  /**
   * @param {any} page
   * @param {[number, number][] | null} similar Clusters with their cosines; null while they are fetched.
   * @param {string} problem
   */
  drawSimilar(page, similar, problem = "") {
    const list = this.find("similar-list");
    if (problem || !similar) {
      list.innerHTML = `<li class="none">${escape(problem || "Looking …")}</li>`;
      return;
    }
    list.innerHTML =
      similar
        .map(([cluster, cosine]) => {
          const members = membersOf(page.known.summaries, cluster);
          const name = page.labelText(cluster);
          const what = `cluster of ${counted(members.length, "image")}${name ? `, ${name}` : ""}, cosine ${cosine.toFixed(2)}`;
          return (
            `<li><div class="clusters-faces">${this.facesHtml(page, facesOf(members, N_SIMILAR_FACES))}</div>` +
            `<span><b>${cosine.toFixed(2)}</b> · ${counted(members.length, "image")}${name ? ` · ${escape(name)}` : ""}</span>` +
            `<button type="button" data-act="add" data-cluster="${cluster}" aria-label="Add the ${escape(what)}" title="The same ${page.words.one}: take its images in here">Add</button>` +
            `<button type="button" data-act="go" data-cluster="${cluster}" aria-label="Open the ${escape(what)}">Open</button></li>`
          );
        })
        .join("") || `<li class="none">There is no other cluster.</li>`;
  }

  facesHtml(page, images) {
    return images
      .map(
        (image) =>
          `<img src="${page.data.thumbs}${tokenOf(page.known.layout, image)}" alt="${escape(page.describe(image))}" width="34" height="68" loading="lazy">`,
      )
      .join("");
  }

  // ---- the focus among the tiles
  get image() {
    return Number(this.tiles.children[this.current]?.dataset.image ?? -1);
  }

  focus(place = this.current) {
    const tiles = this.tiles.children;
    if (!tiles.length) return;
    tiles[this.current]?.setAttribute("tabindex", "-1");
    this.current = Math.max(0, Math.min(tiles.length - 1, place));
    tiles[this.current].setAttribute("tabindex", "0");
    tiles[this.current].focus();
  }

  /** @param {HTMLElement} tile */
  placeOf(tile) {
    return [...this.tiles.children].indexOf(tile);
  }

  get columns() {
    const [first] = this.tiles.children;
    return first ? Math.max(1, Math.floor((this.tiles.clientWidth + 6) / (first.offsetWidth + 6))) : 1;
  }
}

function camerasIn({ layout, cameraNames }, images) {
  const known = new Set(images.map((image) => layout.cameras[image]).filter((camera) => camera >= 0));
  const names = [...known].sort((a, b) => a - b).map((camera) => cameraNames[camera]);
  return names.length ? `camera${names.length > 1 ? "s" : ""} ${names.join(", ")}` : "cameras not known";
}

const purityText = ({ data }, purity) =>
  `purity ${percentOf(purity)}${data.purity.source === "truth" ? " by ground truth" : ""}`;
const percentOf = (share) => `${Math.round(100 * share)} %`;
