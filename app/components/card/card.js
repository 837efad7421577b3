// Page 2: one card after another, drawn here from what is preloaded; acts go to the server through the outbox.
import { keyName } from "../shared_js/keys.js";
import { Outbox } from "../shared_js/outbox.js";
import { counted, escape, nameOf } from "../shared_js/text.js";
import { Zoom } from "../shared_js/zoom.js";
import { Chooser } from "./chooser.js";
import { Drafts, isTouched } from "./drafts.js";
import { minimapHtml } from "./minimap.js";
import { PAIR_BURST, PAIR_EVERY, pairHtml } from "./pair.js";
import { candidateHtml, identityHtml } from "./side.js";
import { Tiles } from "./tiles.js";
import { unpackCard, unpackDraft, unpackPair, unpackPool } from "./unpack.js";
import { Work, imagesOf } from "./work.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";

const TOAST_MS = 6000;
const MOST_S = 60; // a longer pause was not spent on the card
const DRAFTS_MS = 6000; // as long as drafts are waited for

/**
 * @typedef {import("../shared_js/types").Card} Card
 * @typedef {{ card: string, images: number[], kind: string, name?: string, tokens?: string[] }} Pending
 * @typedef {{ work?: Work, act?: import("../shared_js/types").Act, said?: string, split?: Card, after?: Work }} Entry
 */

class Label {
  /** @type {any} What the server sent last. */
  data = null;
  /** @type {Card[]} The next cards. */
  queue = [];
  /** @type {Entry[]} What undo goes back to. */
  past = [];
  /** @type {Entry[]} */
  future = [];
  /** @type {Map<string, Pending>} Acts that the server has not stored yet, by token. */
  pending = new Map();
  /** @type {Set<number>} Images of acts that were stored since the card was made. */
  settled = new Set();
  /** @type {Set<string>} Questions that were asked already. */
  asked = new Set();
  /** @type {Work | null} */
  work = null;
  nCards = 0;

  /**
   * @param {HTMLElement & { label?: Label }} root
   * @param {string} workspace
   * @param {string} author
   */
  constructor(root, workspace, author) {
    this.root = root;
    /** @type {(name: string) => any} */
    this.find = (name) => root.querySelector(`.label-${name}`);
    this.outbox = new Outbox(workspace, () => this.drawProgress());
    this.drafts = new Drafts(workspace, author);
    this.zoom = new Zoom(this.find("zoom"));
    this.tiles = new Tiles(this.find("tiles"), this.zoom, (images, isDropped) =>
      this.edit(this.work.drop(images, isDropped)),
    );
    this.chooser = new Chooser(this.find("chooser"), (identity) => this.add(identity));
    // Acts of this page before it was loaded again: their cards are answered.
    for (const { token, card, images = [], kind } of this.outbox.commits)
      this.pending.set(token, { card, images, kind, name: "", tokens: [] });
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    if (focused?.closest("[data-testid=stSidebarNav]")) focused.blur(); // the link that led here: Enter is for the card
    root.onclick = (event) => this.click(event);
    root.onmousedown = (event) => {
      if (/** @type {Element} */ (event.target).closest("button")) event.preventDefault(); // buttons take no focus
    };
    this.find("help").onpointerdown = (event) => {
      if (event.target === this.find("help")) this.toggleHelp();
    };
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
    this.outbox.dispose();
    this.drafts.dispose();
    clearTimeout(this.draftsTimer);
  }

  // ---- what the server sends
  update(data, send) {
    const isFirst = !this.data;
    this.data = data;
    this.outbox.acknowledge(data.stored);
    for (const token of data.stored) {
      for (const image of this.pending.get(token)?.images ?? []) this.settled.add(image);
      this.pending.delete(token);
    }
    this.colors = new Map(data.identities.map(({ identity, color }) => [identity, color]));
    this.names = new Map(data.identities.map((identity) => [identity.identity, identity]));
    const cards = data.cards.map(unpackCard);
    this.refresh(cards.find((card) => card.id === this.work?.card.id));
    this.setQueue(cards);
    this.later = data.more?.id === this.work?.card.id && data.more ? unpackPool(data.more) : null;
    if (this.later && !this.work.row) this.pool = this.later; // until someone joins from it, a row takes what is newest
    this.pairs = data.pairs.filter(({ id }) => !this.asked.has(id)).map(unpackPair);
    this.outbox.connect(send, data.name);
    if (isFirst) this.askForDrafts();
    if (this.asksFor && data.drafts?.asked === this.asksFor) this.takeUp(data.drafts);
    if (this.work) this.draw();
    else if (this.asksFor && !this.isLate) this.drawEmpty();
    else this.next();
    this.hear(data.outcomes);
    this.drawProgress();
  }

  // What was begun before the page was left: the server lays it out again, as the labels are now.
  askForDrafts() {
    const sent = new Set([...this.pending.values()].map(({ card }) => card));
    const works = this.drafts.found().filter(({ id }) => !sent.has(id));
    if (!works.length) return;
    this.asksFor = `${this.drafts.tab}-${Date.now()}`;
    this.outbox.deliver("drafts", { asked: this.asksFor, works });
    this.draftsTimer = setTimeout(() => {
      this.isLate = true; // the work goes on meanwhile; what was begun comes as soon as it is here
      this.next();
    }, DRAFTS_MS);
  }

  takeUp({ works, told }) {
    clearTimeout(this.draftsTimer);
    this.asksFor = null;
    const drafts = works.map(unpackDraft);
    if (this.work && isTouched(this.work)) this.queue.unshift({ ...this.work.card, work: this.work, isBack: true });
    const ids = new Set(drafts.map(({ card }) => card.id));
    const isPicked = ({ id }) => id.startsWith("chosen-") && !ids.has(id);
    const others = this.queue.filter(({ id }) => !ids.has(id));
    const begun = drafts.map((work) => ({ ...work.card, work, isBack: true }));
    this.queue = [...others.filter(isPicked), ...begun, ...others.filter((card) => !isPicked(card))];
    this.next();
    const news = [...works.map((work) => work.told), told].filter(Boolean);
    if (begun.length || news.length)
      this.toast([begun.length ? "Your unfinished work is back." : "", ...new Set(news)].join(" ").trim());
  }

  keepDrafts() {
    if (this.asksFor) return; // until they are here
    const waiting = this.queue.map((card) => card.work ?? (card.id.includes("/") ? new Work(card) : null));
    this.drafts.keep([this.work, ...waiting].filter(Boolean));
  }

  // A card that nobody has touched yet gets its newest candidates; one that is being worked on stays as it is.
  refresh(card) {
    if (card && !isTouched(this.work) && !this.past.some((entry) => entry.work?.card === this.work.card))
      this.work = new Work(card);
  }

  setQueue(cards) {
    const handled = new Set([...this.pending.values()].map(({ card }) => card));
    const parts = this.queue.filter((card) => card.id.includes("/") || card.isBack);
    const kept = new Set([...parts.map((card) => card.id), this.work?.card.id]);
    this.queue = [...parts, ...cards.filter((card) => !handled.has(card.id) && !kept.has(card.id))];
    for (const card of this.queue.slice(0, 3)) this.preload(card);
  }

  preload(card) {
    if (card.pictures) return;
    card.pictures = [...card.tiles, ...card.candidates.slice(0, 12).map(({ tiles }) => tiles[0])].map((tile) => {
      const picture = new Image();
      picture.src = this.data.thumbs + tile.token;
      return picture;
    });
  }

  hear(outcomes) {
    // acts that were refused, and those of which only the server knows what they did
    const isNews = ({ token, kind, is_refused: isRefused, is_news: isTold }) =>
      this.heardOf && !this.heardOf.has(token) && (isRefused || isTold || kind === "undo" || kind === "redo");
    const news = outcomes.filter(isNews).at(-1);
    this.heardOf = new Set(outcomes.map(({ token }) => token));
    if (news) this.toast(news.text, news.kind === "redo" && !news.is_refused, news.is_refused);
  }

  // ---- cards
  get used() {
    // images of acts that are on their way, or that were stored since the card on the screen was made
    return new Set([...this.settled, ...[...this.pending.values()].flatMap(({ images }) => images)]);
  }

  next() {
    this.settled = new Set();
    const { used } = this;
    const isWorthALook = (card) => {
      const left = card.tiles.filter((tile) => !used.has(tile.image));
      const isAsked = left.some((tile) => tile.isChosen) || card.id.startsWith("chosen-");
      return card.isBack || (left.length >= Math.min(2, card.tiles.length) && left.length > 0 && isAsked);
    };
    let card = this.queue.shift();
    while (card && !isWorthALook(card)) card = this.queue.shift();
    this.work = card
      ? (card.work ?? new Work({ ...card, tiles: card.tiles.filter((tile) => !used.has(tile.image)) }))
      : null;
    if (card) this.shownAt = performance.now();
    this.pool = this.later = null;
    this.draw();
    for (const later of this.queue.slice(0, 3)) this.preload(later);
  }

  show(work) {
    // a card that was here before; the present one waits
    this.settled = new Set();
    if (this.work && this.work.card !== work.card)
      this.queue.unshift({ ...this.work.card, work: this.work, isBack: true });
    this.queue = this.queue.filter((card) => card.id !== work.card.id);
    this.work = work;
    this.pool = this.later = null;
    this.shownAt = performance.now();
    this.draw();
  }

  edit(work) {
    if (!work || !this.work) return;
    this.past.push({ work: this.work });
    this.future = [];
    const isOther = work.accepted !== this.work.accepted || work.rejected !== this.work.rejected;
    this.work = work;
    this.pool = this.later ?? this.pool; // what came meanwhile; the row stands still until `0`
    this.draw();
    if (isOther) this.want();
  }

  want() {
    const { card, chosen, dropped, rejected } = this.work;
    const refused = [...dropped, ...rejected.flatMap(imagesOf)];
    this.outbox.deliver("wanted", { card_id: card.id, images: chosen.map((tile) => tile.image), refused });
  }

  commit(kind, images, more, said) {
    const { work } = this;
    const seconds = Math.min(MOST_S, (performance.now() - this.shownAt) / 1000);
    const act = { kind, card: work.card.id, images, seconds: Math.round(seconds * 10) / 10, ...more };
    this.past.push({ work, act, said });
    this.future = [];
    this.send(act, { name: said.split(":")[0], tokens: work.chosen.map((tile) => tile.token) });
    this.nCards += 1;
    this.next();
    this.toast(said, true);
    if (this.nCards % PAIR_EVERY === 0) this.ask(PAIR_BURST);
  }

  send(act, shownAs = {}) {
    const token = this.outbox.put(act);
    this.pending.set(token, { card: act.card, images: act.images ?? [], kind: act.kind, ...shownAs });
    this.drawProgress();
  }

  chosen() {
    const images = this.work.chosen.map((tile) => tile.image);
    if (!images.length)
      this.toast("No image is chosen: click one to take it back in, or press Space for the next card.");
    return images;
  }

  judged() {
    const { refused, rejected } = this.work;
    return { dropped: refused, rejected: rejected.map(({ tiles }) => tiles.map((tile) => tile.image)) };
  }

  create() {
    const images = this.chosen();
    if (!images.length) return;
    const nNew = [...this.pending.values()].filter(({ kind }) => kind === "create").length;
    this.commit("create", images, this.judged(), `${nameOf(this.data.progress.next + nNew)}: ${this.summary(images)}`);
  }

  // Identities that the server knows, and those that are on their way: these go by their token.
  people() {
    const open = [...this.pending].filter(([, { kind, name }]) => kind === "create" && name); // what a page before this one made has no name yet
    return [
      ...this.data.identities,
      ...open.map(([token, { name, tokens, images }]) => ({
        identity: token,
        name,
        color: "transparent",
        tokens,
        n: images.length,
      })),
    ];
  }

  add({ identity, name }) {
    const images = this.chosen();
    if (images.length)
      this.commit("add", images, { identity, ...this.judged() }, `${name}: ${this.summary(images)} more`);
  }

  aside(kind, said) {
    const images = this.chosen();
    if (images.length) this.commit(kind, images, {}, `${counted(images.length, "image")} ${said}`);
  }

  skip() {
    this.commit("skip", [], {}, "Skipped: this card comes back later");
  }

  summary(images) {
    const { work } = this;
    const cameras = new Set(work.chosen.map((tile) => tile.camera).filter((camera) => camera !== null)).size;
    const parts = [counted(images.length, "image")];
    if (cameras) parts.push(counted(cameras, "camera"));
    if (work.refused.length) parts.push(`${work.refused.length} taken out`);
    if (work.accepted.length) parts.push(`${work.accepted.length} joined`);
    return parts.join(", ");
  }

  split() {
    const parts = this.work.split();
    if (!parts) {
      this.toast("These all look alike. Take out who is somebody else, then press S: they are the next card.");
      return;
    }
    const [stay, away] = parts;
    this.queue.unshift(away);
    this.past.push({ work: this.work, split: away });
    this.future = [];
    this.work = stay;
    this.draw();
    this.toast(`Split: ${counted(stay.tiles.length, "image")} here, ${away.tiles.length} on the next card`, true);
  }

  join(place, { isLast = false, isRefused = false } = {}) {
    const candidate = this.shown?.[place];
    if (!candidate) return;
    if (isRefused) this.edit(this.work.reject(candidate, this.shown));
    else this.edit(isLast ? this.work.joinUpTo(place, this.shown) : this.work.join(candidate, this.shown));
  }

  // ---- undo and redo: of a change to this card, else of the last act that was sent
  undo() {
    const entry = this.past.pop();
    if (!entry) {
      this.send({ kind: "undo" });
      return;
    }
    if (entry.act)
      this.send(entry.act.kind === "skip" ? { ...entry.act, kind: "unskip", images: [] } : { kind: "undo" });
    if (entry.split) this.queue = this.queue.filter((card) => card.id !== entry.split.id);
    this.future.push({ ...entry, after: this.work });
    if (entry.work) this.show(entry.work);
    if (entry.act) this.toast(`Undone: ${entry.said}`);
  }

  redo() {
    const entry = this.future.pop();
    if (!entry) {
      this.send({ kind: "redo" });
      return;
    }
    this.past.push(entry);
    if (entry.act) {
      this.send(entry.act.kind === "skip" ? entry.act : { kind: "redo" });
      if (entry.work) this.next();
      this.toast(`Done again: ${entry.said}`, true);
    } else {
      if (entry.split) this.queue.unshift(entry.split);
      this.work = entry.after;
      this.draw();
    }
  }

  // ---- pairs
  ask(n) {
    if (!this.pairs.length) return false;
    this.nToAsk = n;
    this.pair = this.pairs.shift();
    this.asked.add(this.pair.id);
    this.draw();
    return true;
  }

  answer(answer) {
    const { id, question } = this.pair;
    this.pair = null;
    if (answer) {
      const act = { kind: "pair", question, answer };
      const said = { same: `Kept: the same ${PERSON}`, different: `Kept: two ${PEOPLE}`, unsure: "Kept: cannot tell" }[
        answer
      ];
      this.past.push({ act, said });
      this.future = [];
      this.send(act);
      this.toast(`${said}. This is not asked again.`, true);
    } else {
      this.asked.delete(id);
    }
    if (!answer || this.nToAsk <= 1 || !this.ask(this.nToAsk - 1)) {
      this.shownAt = performance.now();
      this.draw();
    }
  }

  // ---- keys and clicks
  key(event) {
    const isOurs = this.root.contains(event.target);
    const key = keyName(event);
    if (event.isComposing || event.altKey || (event.metaKey && key !== "z")) return;
    if (!isOurs && event.target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=listbox]"))
      return;
    const isPress = [" ", "Enter"].includes(event.key);
    if (isPress && event.target.closest?.("button, a, summary, [role=button]")) return; // led there by Tab: its own click
    if (this.chooser.isOpen) return;
    if (event.key === " " && this.tiles.hasFocus) {
      event.preventDefault();
      if (!event.repeat) this.tiles.toggle(event.shiftKey);
      return;
    }
    const act = this.meaning(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  meaning(event) {
    const key = keyName(event);
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") return event.shiftKey ? () => this.redo() : () => this.undo();
      return key === "y" ? () => this.redo() : null;
    }
    if (!this.find("help").hidden) {
      const isOver = ["Escape", "?", "Enter"].includes(key);
      return isOver
        ? () => this.toggleHelp()
        : key === "Tab"
          ? () => this.find("help").querySelector("button").focus()
          : null;
    }
    if (this.pair) {
      const answers = { y: "same", n: "different", "?": "unsure", u: "unsure", Escape: "" };
      return key in answers && !event.repeat ? () => this.answer(answers[key]) : null;
    }
    if (key === "?") return () => this.toggleHelp();
    if (/^[1-9]$/.test(key) && this.work) return () => this.join(Number(key) - 1, { isLast: event.shiftKey });
    if (key === "0" && this.work) return () => this.act("none");
    const acts = { Enter: "create", a: "choose", s: "split", p: "pair", u: "unsure", x: "junk", " ": "skip" };
    if (acts[key] && !event.shiftKey) return event.repeat ? () => {} : () => this.act(acts[key]); // a key held down is pressed once
    const moves = {
      ArrowLeft: () => this.tiles.move(-1, event.shiftKey),
      ArrowRight: () => this.tiles.move(1, event.shiftKey),
      ArrowUp: () => this.tiles.moveLine(-1),
      ArrowDown: () => this.tiles.moveLine(1),
      d: () => this.tiles.toggle(event.shiftKey),
      Delete: () => this.tiles.toggle(event.shiftKey),
      Backspace: () => this.tiles.toggle(event.shiftKey),
    };
    return this.work ? moves[key] : null;
  }

  act(name) {
    const always = {
      undo: () => this.undo(),
      redo: () => this.redo(),
      help: () => this.toggleHelp(),
      pair: () => this.ask(PAIR_BURST) || this.toast(`No question is open now: label a few more ${PEOPLE} first.`),
    };
    const onCard = {
      create: () => this.create(),
      split: () => this.split(),
      skip: () => this.skip(),
      choose: () => this.chooser.open(this.people(), this.work.card.nearest, this.data.thumbs),
      none: () => this.shown.length && this.edit(this.work.pass(this.shown)),
      unsure: () => this.aside("unsure", "set aside as unsure"),
      junk: () => this.aside("junk", "marked as junk: out of training"),
    };
    if (always[name]) always[name]();
    else if (this.work && !this.pair) onCard[name]?.();
  }

  click(event) {
    const { target } = event;
    const act = target.closest("[data-act]")?.dataset.act;
    const answer = target.closest("[data-answer]")?.dataset.answer;
    const candidate = target.closest("[data-candidate]");
    const identity = target.closest("[data-identity]")?.dataset.identity;
    if (act) this.act(act);
    else if (answer !== undefined) this.answer(answer);
    else if (candidate)
      this.join(Number(candidate.dataset.candidate), {
        isLast: event.shiftKey,
        isRefused: Boolean(target.closest("[data-refuse]")),
      });
    else if (identity) this.add(this.names.get(Number(identity)));
  }

  toggleHelp() {
    const help = this.find("help");
    help.hidden = !help.hidden;
    if (help.hidden) this.beforeHelp?.focus?.({ preventScroll: true });
    else {
      this.beforeHelp = /** @type {HTMLElement | null} */ (document.activeElement);
      help.querySelector("button").focus();
    }
  }

  // ---- drawing
  draw() {
    const place = stopOf(document.activeElement);
    this.drawAll();
    const stop = place && this.root.querySelector(place);
    if (stop && !this.root.contains(document.activeElement)) /** @type {HTMLElement} */ (stop).focus();
  }

  drawAll() {
    const { work } = this;
    this.zoom.hide();
    this.root.dataset.mode = this.pair ? "pair" : work ? "card" : "empty";
    this.root.dataset.card = work?.card.id ?? "";
    this.find("tiles").hidden = Boolean(this.pair) || !work;
    this.find("pair").hidden = !this.pair;
    this.find("empty").hidden = Boolean(this.pair || work);
    this.find("side").classList.toggle("idle", Boolean(this.pair) || !work);
    this.keepDrafts();
    if (work) this.drawCard(work);
    else this.drawEmpty();
    if (this.pair) {
      this.find("pair").innerHTML = pairHtml(this.pair, this.data.thumbs);
      this.find("reason").innerHTML =
        "<b>A question between cards</b><span>what you answer is kept and never asked again</span>";
    }
  }

  drawCard(work) {
    const { thumbs, cameras } = this.data;
    this.tiles.show(work, cameras, thumbs);
    this.find("reason").innerHTML =
      `<b>${work.chosen.length}</b> of ${counted(work.allTiles.length + (work.card.nMore ?? 0), "image")} chosen<span>${escape(work.card.reason)}</span>` +
      (work.card.nMore ? `<span>${work.allTiles.length} shown</span>` : "");
    this.shown = work.row ?? work.candidates(this.pool ?? work.card, this.used);
    this.find("candidates").innerHTML =
      this.shown.map((candidate, place) => candidateHtml(candidate, place, thumbs, work)).join("") ||
      `<p>Nobody else looks like this ${PERSON}.</p>`;
    this.zoom.watch(this.find("candidates"), "[data-candidate]");
    this.find("nearest").innerHTML =
      work.card.nearest
        .slice(0, 5)
        .map((identity) => this.names.get(identity))
        .filter(Boolean)
        .map((identity) => identityHtml(identity, thumbs))
        .join("") || "<p>The identities you made that look most like this card come here.</p>";
    this.zoom.watch(this.find("nearest"), "[data-identity]");
    this.find("map").innerHTML = minimapHtml(work.card.map, work, this.shown, this.colors);
  }

  drawEmpty() {
    this.find("reason").textContent = "";
    for (const name of ["candidates", "nearest", "map"]) this.find(name).innerHTML = "";
    const waits = this.asksFor ? "Your unfinished work is on its way …" : "The next card is on its way …";
    this.find("empty").innerHTML =
      this.asksFor || this.outbox.commits.length
        ? `<p>${waits}</p>`
        : `<h3>${escape(this.data.empty.title)}</h3><p>${escape(this.data.empty.next)}</p>`;
  }

  drawProgress() {
    if (!this.data) return;
    const { identities, goal, images, seconds } = this.data.progress;
    const open = [...this.pending.values()];
    const n = identities + open.filter(({ kind }) => kind === "create").length;
    const n_images =
      images +
      open.filter(({ kind }) => kind === "create" || kind === "add").reduce((sum, act) => sum + act.images.length, 0);
    const left = this.outbox.commits.length;
    const saved = !left ? "saved" : this.outbox.isLate ? `${left} kept here, waiting for the server` : "saving …";
    const who = n === 1 ? PERSON : PEOPLE;
    const of = goal > n ? `<i style="--share:${n / goal}"></i><b>${n}</b> of ${goal} ${PEOPLE}` : `<b>${n}</b> ${who}`;
    this.find("progress").innerHTML =
      `${of}<span>${counted(n_images, "labelled image")}</span>` +
      (seconds ? `<span>${seconds.toFixed(1)} s each</span>` : "") +
      `<span class="${left ? "open" : "saved"}">${saved}</span>`;
    this.root.dataset.open = String(left);
    if (!this.work) this.drawEmpty();
  }

  toast(text, isUndoable = false, isRefused = false) {
    const toast = this.find("toast");
    toast.querySelector("span").textContent = text;
    toast.querySelector("button").hidden = !isUndoable;
    toast.classList.toggle("refused", isRefused);
    toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      toast.hidden = true;
    }, TOAST_MS);
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

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".label");
  if (root.label && root.label.data.workspace !== data.workspace) {
    root.label.dispose();
    root.label = null;
  }
  root.label ??= new Label(root, data.workspace, data.author);
  root.label.update(data, setStateValue);
  return () => {
    root.label?.dispose();
    root.label = null;
  };
}
