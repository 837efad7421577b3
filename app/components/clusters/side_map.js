// The map beside the grid: it filters the grid, and shows what is open.
import { Scatter } from "../map/scatter.js";

const HEIGHT = 250;

export class SideMap {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
  }

  draw() {
    const { data } = this.page;
    this.page.find(".clusters-map").hidden = !data.has_map;
    if (!data.has_map) return;
    const by = this.page.colorBy;
    const extra = { identity: data.identities_url, doubt: data.doubts_url }[by];
    try {
      this.page.scatter ??= new Scatter(this.page.find(".scatter"));
      const shown = {
        layout_urls: extra ? [data.layout_url, extra] : [data.layout_url],
        thumbs_url: data.thumbs,
        revision: data.revision,
        lambda_: this.page.known.lambda,
        color: data.colorings[by],
        quality: { purities: null, recalls: null, note: "" },
        cameras: data.cameras,
        height: HEIGHT,
        scale: 0.6,
      };
      const drawn = this.page.scatter.update(shown, (name, value) => this.hear(name, value));
      drawn.then(() => this.mark()).catch((error) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    const line = this.page.find(".clusters-map-error");
    line.hidden = false;
    line.textContent = `The map cannot be drawn: ${error.message}`;
  }

  hear(name, { kind, images }) {
    if (name !== "selection") return;
    if (kind === "cluster") {
      const cluster = this.page.known.layout.clusters[images[0]];
      this.page.opening.open([cluster]);
      this.page.grid.reveal(cluster);
      return;
    }
    this.page.known.within = kind === "area" ? new Set(images) : null;
    this.page.bar.draw();
    this.page.show();
    if (kind === "none") this.page.opening.close();
  }

  /** Show on the map what is open, or else what the lasso caught. */
  mark() {
    if (!this.page.scatter?.layout) return;
    this.page.scatter.setSelected(
      this.page.opened ? [...this.page.opened.images] : [...(this.page.known.within ?? [])],
    );
  }
}
