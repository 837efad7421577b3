// Page 4: a row per identity; select rows to merge, open one to split it or to take images out.
import { keyName } from "../shared_js/keys.js";
import { mounted } from "../shared_js/mounting.js";
import { Outbox } from "../shared_js/outbox.js";
import { count, counted } from "../shared_js/text.js";
import { Toast } from "../shared_js/toast.js";
import { Zoom } from "../shared_js/zoom.js";
import { between, listed, namesake, pageOf } from "./listing.js";
import { mergeHtml, rowHtml } from "./row_html.js";

const TOAST_MS = 7000;
const N_MERGES = 3; // suggestions in sight at once

class People {
  constructor(root, workspace) {
    this.root = root;
    this.find = (name) => root.querySelector(`.people-${name}`);
    this.outbox = new Outbox(workspace, () => this.drawCounts());
    this.zoom = new Zoom(this.find("zoom"));
    this.toasts = new Toast(this.find("toast"), TOAST_MS);
    /** @type {import("./listing.js").View} */
    this.view = { search: "", filter: "all", sort: "made", only: null, page: 0 };
    /** @type {Set<string>} Pairs that were answered here. */
    this.answered = new Set();
    Object.assign(this, { selected: new Set(), marked: new Set(), offer: null });
    this.anchor = null;
    this.find("search").oninput = ({ target }) => this.look({ search: target.value });
    this.find("filter").onchange = ({ target }) => this.look({ filter: target.value });
    this.find("sort").onchange = ({ target }) => this.look({ sort: target.value });
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    root.onclick = (event) => this.click(event);
    root.onchange = (event) => this.change(event);
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
    this.outbox.dispose();
  }

  update(data, send) {
    this.data = data;
    this.ask = send;
    this.outbox.acknowledge(data.stored);
    this.outbox.connect(send, data.name);
    const known = new Set(data.rows.map(({ identity }) => identity));
    this.selected = new Set([...this.selected].filter((identity) => known.has(identity)));
    const members = new Set((data.members ?? []).map(([image]) => image));
    this.marked = new Set([...this.marked].filter((image) => members.has(image)));
    this.draw();
    const news = this.outbox.news(data.outcomes);
    if (news.length) this.toast(news.at(-1));
  }

  put(kind, more) {
    this.outbox.put({ kind, ...more });
  }

  // ---- keys and clicks
  key(event) {
    const { target } = event;
    if (target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], [role=listbox]")) return;
    if (event.altKey) return;
    const key = keyName(event);
    const member = target.closest?.("[data-member]");
    if (member && [" ", "Enter"].includes(event.key)) this.mark(Number(member.dataset.member));
    else if (key === "f" && !event.ctrlKey && !event.metaKey && this.pointedAt(member))
      this.findLike(this.pointedAt(member));
    else if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y"))
      this.put(event.shiftKey || key === "y" ? "redo" : "undo");
    else if (key === "m" && !event.ctrlKey && !event.metaKey && this.selected.size > 1) this.merge();
    else if (key === "Escape" && this.data.opened !== null) this.open(null);
    else return;
    event.preventDefault();
  }

  click(event) {
    const { target } = event;
    const button = target.closest("[data-act]");
    const owner = target.closest("[data-identity]");
    const member = target.closest("[data-member]");
    if (target.matches("[type=checkbox]")) this.select(Number(owner.dataset.identity), target.checked, event.shiftKey);
    else if (button) this.act(button.dataset.act, owner && Number(owner.dataset.identity), button.dataset);
    else if (member && target.matches(".alike")) this.findLike(member);
    else if (member) this.mark(Number(member.dataset.member));
  }

  /** The image that the pointer rests on, or else the one with the focus. */
  pointedAt(focused) {
    return this.root.querySelector("[data-member]:hover") ?? focused;
  }

  // The training images that look like one, on the page that lists them.
  findLike(member) {
    this.ask("like", { image: Number(member.dataset.member), at: Date.now() });
  }

  // Shift selects all from the one before to this one, as they are listed.
  select(identity, isOn, isRange) {
    const rows = listed(this.data.rows, this.view, this.doubtful);
    for (const each of isRange ? between(rows, this.anchor, identity) : [identity])
      if (isOn) this.selected.add(each);
      else this.selected.delete(each);
    this.anchor = identity;
    this.drawSelected();
  }

  change({ target }) {
    const identity = Number(target.closest("[data-identity]")?.dataset.identity);
    if (target.matches("[data-name]")) this.rename(identity, target);
    else if (target.matches(".person select")) this.put("role", { identity, role: target.value });
  }

  rename(identity, input) {
    const name = input.value;
    const other = namesake(this.data.rows, identity, name);
    if (other) {
      input.value = this.data.names.get(identity);
      this.offer = { left: other.identity, right: identity, why: `${other.name} is that name already: the same?` };
    } else {
      this.offer = null;
      this.put("rename", { identity, name });
    }
    input.blur();
    this.drawMerges();
  }

  look(change) {
    this.view = { ...this.view, only: null, page: 0, ...change };
    this.drawRows();
  }

  act(name, identity, { left = "0", right = "0", other = "0", page = "0" } = {}) {
    const images = [...this.marked];
    const pair = /** @type {[number, number]} */ ([Number(left), Number(right)]);
    const acts = {
      merge: () => this.merge(),
      training: () => this.setRole("training"),
      validation: () => this.setRole("validation"),
      undo: () => this.put("undo"),
      redo: () => this.put("redo"),
      split: () => {
        this.put("split", { identity, images });
        this.marked.clear();
      },
      remove: () => {
        this.put("remove", { identity, images });
        this.marked.clear();
      },
      close: () => this.open(null),
      open: () => this.open(identity),
      compare: () => this.look({ only: new Set([identity, Number(other)]) }),
      everyone: () => this.look({}),
      page: () => this.turn(Number(page)),
      unite: () => this.answer(pair, () => this.put("merge", { identities: pair })),
      apart: () => this.answer(pair, () => this.put("pair", { question: sidesOf(pair), answer: "different" })),
      cancel: () => this.answer(pair, () => {}),
    };
    acts[name]();
  }

  answer(pair, say) {
    this.answered.add(pair.join());
    this.offer = null;
    say();
    this.drawMerges();
  }

  turn(page) {
    this.view = { ...this.view, page };
    this.drawRows();
    this.root.scrollIntoView({ block: "start" });
  }

  merge() {
    this.put("merge", {
      identities: this.data.rows.map(({ identity }) => identity).filter((identity) => this.selected.has(identity)),
    });
    this.selected.clear();
    this.draw();
  }

  setRole(role) {
    for (const identity of this.selected) this.put("role", { identity, role });
    this.selected.clear();
    this.draw();
  }

  open(identity) {
    this.marked.clear();
    this.ask("opened", identity);
  }

  mark(image) {
    if (this.marked.has(image)) this.marked.delete(image);
    else this.marked.add(image);
    this.drawMarks();
  }

  // ---- drawing
  draw() {
    this.data.names = new Map(this.data.rows.map(({ identity, name }) => [identity, name]));
    this.doubtful = new Set(this.data.merges.flatMap(([left, right]) => [left, right]));
    this.drawMerges();
    this.drawRows();
    this.drawCounts();
  }

  drawRows() {
    if (!this.data) return;
    const typing =
      document.activeElement?.matches?.("[data-name]") && this.root.contains(document.activeElement)
        ? document.activeElement
        : null;
    if (typing) return; // somebody who types a name is not disturbed
    const { opened, members } = this.data;
    const all = listed(this.data.rows, this.view, this.doubtful);
    const { rows, page, nPages } = pageOf(all, this.view.page);
    const before = stopOf(document.activeElement);
    this.view.page = page;
    this.find("rows").innerHTML = rows
      .map((row) => rowHtml(row, this.data, row.identity === opened ? members : null))
      .join("");
    this.find("shown").innerHTML = this.shownHtml(all, page, nPages, rows.length);
    this.find("pages").innerHTML = nPages > 1 ? pagesHtml(page, nPages) : "";
    this.zoom.watch(this.find("rows"), ".face, [data-member]");
    if (before) /** @type {HTMLElement | null} */ (this.root.querySelector(before))?.focus({ preventScroll: true });
    this.drawSelected();
    this.drawMarks();
  }

  shownHtml(all, page, nPages, n) {
    const back = `<button type="button" class="link" data-act="everyone">show everyone</button>`;
    if (this.view.only) return `Two that look alike · ${back}`;
    if (!all.length && this.data.rows.length) return "Nobody fits; change the name or the filter.";
    const isPart = all.length < this.data.rows.length;
    const of = isPart ? `${count(all.length)} of ${count(this.data.rows.length)} identities` : "";
    const on = nPages > 1 ? `page ${page + 1} of ${nPages}, ${n} of ${count(all.length)}` : "";
    return [of, on].filter(Boolean).join(" · ");
  }

  drawMerges() {
    if (!this.data) return;
    const known = new Map(this.data.rows.map((row) => [row.identity, row]));
    const open = this.data.merges
      .filter(([left, right]) => !this.answered.has([left, right].join()) && known.has(left) && known.has(right))
      .map(([left, right, isOneName]) => ({
        left: known.get(left),
        right: known.get(right),
        why: isOneName ? "They have one name. The same?" : "They look alike. The same?",
      }));
    const { offer } = this;
    const first =
      offer && known.has(offer.left) && known.has(offer.right)
        ? [{ ...offer, left: known.get(offer.left), right: known.get(offer.right), isRename: true }]
        : [];
    const shown = [...first, ...open].slice(0, N_MERGES);
    const more = open.length + first.length - shown.length;
    this.find("merges").hidden = !shown.length;
    this.find("merges").innerHTML =
      `<h4>May be the same${more ? ` <small>and ${counted(more, "more pair")}</small>` : ""}</h4>` +
      shown.map((pair) => mergeHtml(pair, this.data.thumbs)).join("");
    this.zoom.watch(this.find("merges"), ".face");
  }

  drawSelected() {
    for (const box of this.root.querySelectorAll("[type=checkbox]"))
      box.checked = this.selected.has(Number(box.closest("[data-identity]").dataset.identity));
    this.drawButtons();
  }

  drawCounts() {
    if (!this.data) return;
    const { rows } = this.data;
    const imagesOf = (people) => people.reduce((sum, row) => sum + row.n_images, 0);
    const training = rows.filter(({ role }) => role === "training");
    const nHeld = rows.length - training.length;
    const left = this.outbox.commits.length;
    this.root.dataset.open = String(left);
    this.root.classList.toggle("nobody", !rows.length);
    this.find("counts").innerHTML =
      `<b>${rows.length === 1 ? "1 identity" : `${count(rows.length)} identities`}</b><span>${counted(imagesOf(rows), "image")}</span>` +
      `<span>${count(training.length)} for training</span>` +
      `<span>${count(nHeld)} held out${nHeld && nHeld < 10 ? ", too few to judge by" : ""}</span><span>${left ? "saving …" : "saved"}</span>`;
  }

  drawButtons() {
    const n = this.selected.size;
    for (const name of ["training", "validation"]) this.root.querySelector(`[data-act="${name}"]`).disabled = n === 0;
    const merge = this.root.querySelector('[data-act="merge"]');
    merge.disabled = n < 2;
    merge.firstChild.textContent = n > 1 ? `Merge ${n} ` : "Merge selected ";
  }

  drawMarks() {
    for (const figure of this.root.querySelectorAll("[data-member]")) {
      const isMarked = this.marked.has(Number(figure.dataset.member));
      figure.classList.toggle("marked", isMarked);
      figure.setAttribute("aria-checked", String(isMarked));
    }
    for (const button of this.root.querySelectorAll('[data-act="split"], [data-act="remove"]'))
      button.disabled = this.marked.size === 0;
    for (const line of this.root.querySelectorAll(".hint"))
      line.textContent = this.marked.size
        ? `${counted(this.marked.size, "image")} chosen`
        : "Click the images that are somebody else.";
  }

  toast({ text, kind, is_refused: isRefused }) {
    this.toasts.say(text, { isRefused, hasUndo: !isRefused && kind !== "undo" });
  }
}

const sidesOf = ([left, right]) => ({ left: { identity: left }, right: { identity: right } });

// Where Tab stands among rows that are drawn anew.
function stopOf(element) {
  const row = element?.closest?.(".person");
  const member = element?.closest?.("[data-member]");
  if (!row) return null;
  const within = member
    ? `[data-member="${member.dataset.member}"]`
    : element.matches("[type=checkbox]")
      ? "[type=checkbox]"
      : `[data-act="${element.dataset.act}"]`;
  return `.person[data-identity="${row.dataset.identity}"] ${within}`;
}

function pagesHtml(page, nPages) {
  const button = (at, text, isOff) =>
    `<button type="button" data-act="page" data-page="${at}" ${isOff ? "disabled" : ""}>${text}</button>`;
  return `${button(0, "First", page === 0)}${button(page - 1, "Previous", page === 0)}<span>page ${page + 1} of ${nPages}</span>${button(page + 1, "Next", page === nPages - 1)}${button(nPages - 1, "Last", page === nPages - 1)}`;
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".people");
  const [people, leave] = mounted(
    root,
    (before) => before.data.workspace === data.workspace,
    () => new People(root, data.workspace),
  );
  people.update(data, setStateValue);
  return leave;
}
