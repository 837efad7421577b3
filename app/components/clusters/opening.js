// What is opened beside the grid: one cluster or several, or pictures that were chosen.
import { messageOf } from "./messages.js";
import { shownOf } from "./opened.js";
import { membersOf, straysOf } from "./summaries.js";
import { openedOf } from "./work.js";

const NARROW_PX = 800; // as in clusters.css: the panel stands below the grid

export class Opening {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
  }

  reopen() {
    const isWorkedOn = this.page.opened && (this.page.opened.dropped.size > 0 || this.page.opened.away.length > 0);
    if (isWorkedOn) {
      // a new iteration came meanwhile: its clusters are others, the pictures are the same
      this.set({ ...this.page.opened, clusters: [] });
      return;
    }
    const row = this.page.view.open === null ? -1 : this.page.rowOf(this.page.view.open);
    const cluster = row < 0 ? -1 : this.page.known.layout.clusters[row];
    if (cluster >= 0) this.open([cluster], { isQuiet: true });
    else this.close();
    if (cluster >= 0) this.page.grid.reveal(this.page.kind === "clusters" ? cluster : row);
  }

  /** @param {number[]} clusters Opened together, as one group. */
  open(clusters, { isQuiet = false } = {}) {
    const images = clusters.flatMap((cluster) => Array.from(membersOf(this.page.known.summaries, cluster)));
    this.page.opened = openedOf(clusters, shownOf(images));
    this.page.openedAt = performance.now();
    this.afterOpening(isQuiet);
  }

  openImages(images) {
    this.page.opened = images.length ? openedOf([], images) : null;
    this.page.openedAt = performance.now();
    this.afterOpening(false);
  }

  afterOpening(isQuiet) {
    const { layout, summaries, doubts } = this.page.known;
    this.page.nearest = [];
    this.page.strays = new Set();
    for (const cluster of this.page.opened?.clusters ?? [])
      for (const image of straysOf(layout, membersOf(summaries, cluster), doubts)) this.page.strays.add(image);
    const [first] = this.page.opened?.images ?? [];
    this.page.view = { ...this.page.view, open: first === undefined ? null : layout.images[first] };
    this.draw();
    this.page.grid.refresh();
    this.page.side.mark();
    if (!isQuiet) this.page.writeAddress();
    if (this.page.opened) this.findSimilar();
    if (this.page.opened && innerWidth <= NARROW_PX && !isQuiet)
      this.page.panel.element.scrollIntoView({ block: "start" });
  }

  close() {
    if (!this.page.opened) return;
    this.page.opened = null;
    this.page.view = { ...this.page.view, open: null };
    this.draw();
    this.page.grid.refresh();
    this.page.side.mark();
    this.page.writeAddress();
  }

  draw() {
    const { layout, summaries, doubts } = this.page.known;
    for (const cluster of this.page.opened?.clusters ?? [])
      for (const image of straysOf(layout, membersOf(summaries, cluster), doubts)) this.page.strays.add(image);
    this.page.panel.draw(this.page, this.page.opened, this.page.strays);
    this.page.root.dataset.opened = this.page.opened ? this.page.opened.clusters.join(" ") || "images" : "";
  }

  set(opened) {
    this.page.opened = opened;
    this.draw();
    this.page.side.mark();
  }

  async findSimilar() {
    const { opened, known } = this.page;
    const asked = opened.clusters.length
      ? opened.clusters.map((cluster) => known.layout.centers[cluster])
      : opened.images.slice(0, 50);
    this.page.panel.drawSimilar(this.page, null);
    try {
      const { clusters, identities } = await this.page.ask(`to=${asked.slice(0, 200).join(",")}`);
      if (this.page.opened?.clusters !== opened.clusters) return; // another one was opened meanwhile
      this.page.nearest = identities;
      this.page.panel.drawSimilar(this.page, clusters);
      this.page.naming.suggest(identities);
    } catch (error) {
      if (this.page.opened?.clusters === opened.clusters)
        this.page.panel.drawSimilar(this.page, null, messageOf(error));
    }
  }
}
