// How a card, the way so far and what is empty are drawn.
import { counted, escape } from "../shared_js/text.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";
import { minimapHtml } from "./minimap.js";
import { pairHtml } from "./pair.js";
import { candidateHtml, identityHtml } from "./side.js";

export class CardDrawing {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
  }

  draw() {
    const place = stopOf(document.activeElement);
    this.drawAll();
    const stop = place && this.page.root.querySelector(place);
    if (stop && !this.page.root.contains(document.activeElement)) /** @type {HTMLElement} */ (stop).focus();
  }

  drawAll() {
    const { work } = this.page;
    this.page.zoom.hide();
    this.page.root.dataset.mode = this.page.pair ? "pair" : work ? "card" : "empty";
    this.page.root.dataset.card = work?.card.id ?? "";
    this.page.find("tiles").hidden = Boolean(this.page.pair) || !work;
    this.page.find("pair").hidden = !this.page.pair;
    this.page.find("empty").hidden = Boolean(this.page.pair || work);
    this.page.find("side").classList.toggle("idle", Boolean(this.page.pair) || !work);
    this.page.keepDrafts();
    if (work) this.drawCard(work);
    else this.drawEmpty();
    if (this.page.pair) {
      this.page.find("pair").innerHTML = pairHtml(this.page.pair, this.page.data.thumbs);
      const { title, told, isCount } = this.page.data.round;
      const inARow = [title, isCount ? told : `${counted(this.page.inARow.length, "more question")} after this`];
      const [what, how] =
        this.page.answers.from === "inARow"
          ? inARow
          : ["A question between cards", "what you answer is kept and never asked again"];
      this.page.find("reason").innerHTML = `<b>${escape(what)}</b><span>${escape(how)}</span>`;
    }
  }

  drawCard(work) {
    const { thumbs, cameras } = this.page.data;
    this.page.tiles.show(work, cameras, thumbs);
    this.page.find("reason").innerHTML =
      `<b>${work.chosen.length}</b> of ${counted(work.allTiles.length + (work.card.nMore ?? 0), "image")} chosen<span>${escape(work.card.reason)}</span>` +
      (work.card.nMore ? `<span>${work.allTiles.length} shown</span>` : "");
    const pool = this.page.pool ?? work.card;
    this.page.shown = work.row ?? work.offered(pool, this.page.used);
    this.page.nUnlikely = this.page.shown.length ? 0 : work.candidates(pool, this.page.used).length;
    this.page.find("candidates").innerHTML =
      this.page.shown.map((candidate, place) => candidateHtml(candidate, place, thumbs, work)).join("") ||
      `<p>Nobody else is likely to be this ${PERSON}.${this.page.nUnlikely ? ` <kbd>0</kbd> shows ${this.page.nUnlikely} who are not.` : ""}</p>`;
    this.page.zoom.watch(this.page.find("candidates"), "[data-candidate]");
    this.page.find("nearest").innerHTML =
      work.card.nearest
        .slice(0, 5)
        .map((identity) => this.page.names.get(identity))
        .filter(Boolean)
        .map((identity) => identityHtml(identity, thumbs))
        .join("") || "<p>The identities you made that look most like this card come here.</p>";
    this.page.zoom.watch(this.page.find("nearest"), "[data-identity]");
    this.page.find("map").innerHTML = minimapHtml(work.card.map, work, this.page.shown, this.page.colors);
  }

  drawEmpty() {
    this.page.find("reason").textContent = "";
    for (const name of ["candidates", "nearest", "map"]) this.page.find(name).innerHTML = "";
    const waits = this.page.asksFor ? "Your unfinished work is on its way …" : "The next card is on its way …";
    this.page.find("empty").innerHTML =
      this.page.asksFor || this.page.outbox.commits.length
        ? `<p>${waits}</p>`
        : `<h3>${escape(this.page.data.empty.title)}</h3><p>${escape(this.page.data.empty.next)}</p>`;
  }

  drawProgress() {
    if (!this.page.data) return;
    const { identities, goal, images, seconds } = this.page.data.progress;
    const open = [...this.page.pending.values()];
    const n = identities + open.filter(({ kind }) => kind === "create").length;
    const n_images =
      images +
      open.filter(({ kind }) => kind === "create" || kind === "add").reduce((sum, act) => sum + act.images.length, 0);
    const left = this.page.outbox.commits.length;
    const saved = !left ? "saved" : this.page.outbox.isLate ? `${left} kept here, waiting for the server` : "saving …";
    const who = n === 1 ? PERSON : PEOPLE;
    const of = goal > n ? `<i style="--share:${n / goal}"></i><b>${n}</b> of ${goal} ${PEOPLE}` : `<b>${n}</b> ${who}`;
    this.page.find("progress").innerHTML =
      `${of}<span>${counted(n_images, "labelled image")}</span>` +
      (seconds ? `<span>${seconds.toFixed(1)} s each</span>` : "") +
      `<span class="${left ? "open" : "saved"}">${saved}</span>`;
    this.page.root.dataset.open = String(left);
    if (!this.page.work) this.drawEmpty();
  }
}

// Where Tab stands among what is drawn anew.
function stopOf(element) {
  const button = element?.closest?.(".label button");
  const [row] = ["candidate", "identity"].filter((name) => button?.closest(`[data-${name}]`));
  if (!row) return null;
  const number = button.closest(`[data-${row}]`).dataset[row];
  return `[data-${row}="${number}"] ${button.matches("[data-refuse]") ? "[data-refuse]" : ".face"}`;
}
