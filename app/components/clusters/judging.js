// What is said about an opened cluster, on its way to the outbox.
import { counted } from "../shared_js/text.js";
import { actOfTwoPeople, actsOfPerson } from "./acts.js";
import { messageOf } from "./messages.js";
import { shownOf } from "./opened.js";
import { membersOf } from "./summaries.js";
import { afterJudging, keptOf, splitOff } from "./work.js";

export class Judging {
  /** @type {number[]} Acts of each judgement, which one press of Undo takes back. */
  nActs = [];

  /** @param {any} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {import("./work.js").Opened} opened */
  judged(opened) {
    const { layout, owners } = this.page.known;
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
    if (!this.page.opened) return;
    const acts = this.actsFor(this.page.opened, who);
    if (!acts.length) return;
    this.put(acts);
    this.page.opening.set(afterJudging(this.page.opened));
  }

  /** @param {import("../shared_js/types").Act[]} acts */
  put(acts) {
    if (!acts.length) return;
    this.nActs.push(acts.length);
    const seconds = (performance.now() - this.page.openedAt) / 1000 / acts.length;
    const card = `clusters-${this.page.known.layout.images[this.page.opened.images[0]]}`;
    for (const act of acts) this.page.outbox.put({ seconds, card, ...act });
    this.page.openedAt = performance.now();
  }

  undo() {
    const n = this.nActs.pop() ?? 1;
    for (let act = 0; act < n; act += 1) this.page.outbox.put({ kind: "undo" });
    this.page.toasts.hide();
    const clusters = this.page.opened?.clusters ?? [];
    if (n && clusters.length) this.page.opening.open(clusters, { isQuiet: true }); // with what was dropped
  }

  async split() {
    const { opened } = this.page;
    if (!opened) return;
    let away = opened.images.filter((image) => opened.dropped.has(image));
    if (!away.length) {
      if (!opened.clusters.length) return;
      try {
        this.page.find(".clusters-opened-facts").textContent = "Looking for two groups …";
        away = (await this.page.ask(`split=${opened.clusters.join(",")}`)).images;
      } catch (error) {
        this.page.opening.draw();
        this.page.toast(`Not split: ${messageOf(error)}`, { isRefused: true });
        return;
      }
    }
    if (this.page.opened !== opened) return;
    const parts = splitOff(opened, away);
    this.page.opening.set(parts ?? opened);
    if (!parts)
      this.page.toast(`These ${counted(opened.images.length, "image")} all look alike: there is nothing to split.`);
  }

  apart() {
    const { images, away } = this.page.opened;
    this.put([actOfTwoPeople(this.page.idsOf(images), this.page.idsOf(away))]);
  }

  add(cluster) {
    const more = shownOf(membersOf(this.page.known.summaries, cluster));
    const { opened } = this.page;
    const clusters = [...opened.clusters, cluster];
    this.page.opened = {
      ...opened,
      clusters,
      images: [...opened.images, ...more.filter((image) => !opened.images.includes(image))],
    };
    this.page.opening.draw();
    this.page.grid.refresh();
    this.page.side.mark();
    this.page.opening.findSimilar();
  }
}
