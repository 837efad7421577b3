// What stands over the grid: what is shown, how much of it, sort, filters, λ.
import { count, counted, escape } from "../shared_js/text.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";
import { CHIPS, SORTS, countChips, isFiltered } from "./view.js";

export class Bar {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
  }

  draw() {
    const { view, data, known } = this.page;
    const field = (name) => this.page.find(`[data-field="${name}"]`);
    const set = (name, pairs, chosen) => {
      setHtml(field(name), pairs.map(([value, text]) => `<option value="${value}">${escape(text)}</option>`).join(""));
      field(name).value = String(chosen);
    };
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.page.root.querySelectorAll("[data-kind]")))
      button.setAttribute("aria-pressed", String(!this.page.alike && button.dataset.kind === view.kind));
    set("sort", Object.entries(SORTS), view.sort);
    set("camera", [["", "all"], ...data.cameras.map((name) => [name, String(name)])], view.camera ?? "");
    this.page.find(".clusters-camera").hidden = data.cameras.length < 2;
    const named = (n) => (n === 0 ? "0: before training" : n === data.newest ? `${n}: newest` : String(n));
    set(
      "iteration",
      Array.from({ length: data.newest + 1 }, (_, n) => [n, named(n)]),
      data.iteration,
    );
    this.page.find(".clusters-iteration").hidden = data.newest === 0;
    set(
      "color",
      Object.keys(data.colorings).map((name) => [name, name]),
      this.page.colorBy,
    );
    for (const name of ["least", "most"])
      if (document.activeElement !== field(name)) field(name).value = view[name] ?? "";
    if (document.activeElement !== field("lambda") || view.lambda !== null) field("lambda").value = known.lambda;
    this.page.find(".clusters-lambda output").textContent = known.lambda === 0 ? "all" : known.lambda.toFixed(2);
    this.page.find('.clusters-bar [data-act="clear"]').hidden = !isFiltered(view) && !known.within && !this.page.alike;
    this.drawChips();
  }

  drawChips() {
    const { view, known } = this.page;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.chip;
    const counts = countChips(known, this.page.alike ? "images" : view.kind);
    const chip = (name, text, n, isOn) =>
      `<button type="button" data-chip="${name}" aria-pressed="${isOn}"${n === 0 && !isOn ? " disabled" : ""}>${escape(text)} <b>${n === null ? "" : count(n)}</b>${isOn ? " ✕" : ""}</button>`;
    const names = Object.keys(CHIPS).filter((name) => name !== "one" || this.page.data.cameras.length > 1);
    const ours = names.map((name) => chip(name, CHIPS[name], counts[name], view.chips.includes(name)));
    if (known.within) ours.unshift(chip("within", "from the map", known.within.size, true));
    if (this.page.alike) ours.unshift(chip("like", "like one picture", this.page.alike.size, true));
    setHtml(this.page.find(".clusters-chips"), ours.join(""));
    if (focused) this.page.find(`[data-chip="${focused}"]`)?.focus();
  }

  drawCount() {
    if (!this.page.known || !this.page.items) return;
    const { summaries, layout } = this.page.known;
    const [all, thing] = this.page.kind === "clusters" ? [summaries.n, "cluster"] : [layout.n, "image"];
    const n = this.page.items.length;
    const left = this.page.outbox.commits.length;
    this.page.root.dataset.open = String(left);
    const order = this.page.alike ? "most alike first" : `${SORTS[this.page.view.sort]} first`;
    const isMeasured = this.page.known.doubtShares || this.page.root.dataset.doubts === "unknown";
    const notes = [
      n === all ? counted(all, thing) : `${count(n)} of ${counted(all, thing)}`,
      `, ${order}`,
      left ? " · saving …" : "",
      this.page.view.sort === "doubt" && !isMeasured ? " (measuring doubt …)" : "",
    ];
    this.page.find(".clusters-count").textContent = notes.join("");
  }

  drawSummary({ layout, summaries, lambda }) {
    const { purity } = this.page.data;
    const share = percent(layout.selection.share(lambda));
    const parts = [
      `<b>${counted(summaries.n, "cluster")}</b> of ${counted(layout.n, "image")}`,
      `<b>${share}</b> reliable at λ ${lambda === 0 ? "all" : lambda.toFixed(2)}`,
    ];
    if (purity.source === "annotations")
      parts.push(
        `<b>${percent(purity.overall)}</b> purity on the ${count(purity.n_people)} labelled ${purity.n_people === 1 ? PERSON : PEOPLE}`,
      );
    if (purity.source === "truth")
      parts.push(
        `<b>${percent(purity.overall)}</b> purity by ground truth (${count(purity.n_people)} known; no label yet)`,
      );
    setHtml(this.page.find(".clusters-summary"), parts.join(" · "));
  }
}

// A list that is open, and the focus, survive what changes nothing.
function setHtml(element, html) {
  if (element.drawnHtml === html) return;
  element.innerHTML = html;
  element.drawnHtml = html;
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;
