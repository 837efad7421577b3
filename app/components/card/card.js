// Page 2: one card after another, drawn here from what is preloaded; acts go to the server through the outbox.
import { keyName } from "../shared_js/keys.js";
import { Outbox } from "../shared_js/outbox.js";
import { counted, escape, nameOf } from "../shared_js/text.js";
import { Zoom } from "../shared_js/zoom.js";
import { Chooser } from "./chooser.js";
import { Likeness } from "./likeness.js";
import { minimapHtml } from "./minimap.js";
import { PAIR_BURST, PAIR_EVERY, pairHtml } from "./pair.js";
import { Tiles } from "./tiles.js";
import { Work, imagesOf } from "./work.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";

const TOAST_MS = 6000;
const MOST_S = 60; // a longer pause was not spent on the card

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
   */
  constructor(root, workspace) {
    this.root = root;
    /** @type {(name: string) => any} */
    this.find = (name) => root.querySelector(`.label-${name}`);
    this.outbox = new Outbox(workspace, () => this.drawProgress());
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
  }

  // ---- what the server sends
  update(data, send, leave) {
    this.data = data;
    this.leave = leave;
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
    if (!this.work) this.next();
    else this.draw();
    this.hear(data.outcomes);
    this.drawProgress();
  }

  // A card that nobody has touched yet gets its newest candidates; one that is being worked on stays as it is.
  refresh(card) {
    if (card && !this.past.some((entry) => entry.work?.card === this.work.card)) this.work = new Work(card);
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
    const isNews = ({ token, kind, is_refused: isRefused }) =>
      this.heardOf && !this.heardOf.has(token) && (isRefused || kind === "undo" || kind === "redo");
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
      return card.isBack || (left.length >= Math.min(2, card.tiles.length) && left.some((tile) => tile.isChosen));
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
    if (!isOurs && [" ", "Enter"].includes(event.key) && event.target.closest?.("button, a, summary, [role=button]"))
      return;
    if (this.chooser.isOpen) return;
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
    if (!this.find("help").hidden) return ["Escape", "?", "Enter"].includes(key) ? () => this.toggleHelp() : null;
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
      rounds: () => this.leave(),
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
    this.find("help").hidden = !this.find("help").hidden;
  }

  // ---- drawing
  draw() {
    const { work } = this;
    this.zoom.hide();
    this.root.dataset.mode = this.pair ? "pair" : work ? "card" : "empty";
    this.root.dataset.card = work?.card.id ?? "";
    this.find("tiles").hidden = Boolean(this.pair) || !work;
    this.find("pair").hidden = !this.pair;
    this.find("empty").hidden = Boolean(this.pair || work);
    this.find("side").classList.toggle("idle", Boolean(this.pair) || !work);
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
      `<b>${work.chosen.length}</b> of ${counted(work.allTiles.length, "image")} chosen<span>${escape(work.card.reason)}</span>` +
      (work.card.nMore ? `<span>${work.card.nMore} more in this cluster</span>` : "");
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
    this.find("empty").innerHTML = this.outbox.commits.length
      ? "<p>The next card is on its way …</p>"
      : `<h3>${escape(this.data.empty.title)}</h3><p>${escape(this.data.empty.next)}</p>${this.data.progress.identities ? this.roundsHtml("first") : ""}`;
  }

  roundsHtml(look = "second") {
    // no key of its own, but a stop of Tab: it leaves the page
    return `<button type="button" class="${look}" data-act="rounds">On to training →</button>`;
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
    const bar = n < goal ? `<i style="--share:${n / goal}"></i>` : this.roundsHtml();
    this.find("progress").innerHTML =
      `${bar}<b>${n}/${goal} IDs</b><span>${counted(n_images, "image")}</span>` +
      (seconds ? `<span>${seconds.toFixed(1)} s/ID</span>` : "") +
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

function unpackTile([image, token, camera, tracklet, isChosen, isReliable, point]) {
  return { image, token, camera, tracklet, isChosen: Boolean(isChosen), isReliable: Boolean(isReliable), point };
}

function unpackPool({ candidates, likeness }) {
  const unpacked = candidates.map((candidate) => ({ ...candidate, tiles: candidate.tiles.map(unpackTile) }));
  return {
    candidates: unpacked.map((candidate) => ({ ...candidate, point: candidate.tiles[0].point })),
    likeness: new Likeness(likeness),
  };
}

function unpackCard(card) {
  return { ...card, ...unpackPool(card), tiles: card.tiles.map(unpackTile) };
}

function unpackPair(pair) {
  const side = ({ name, tiles }) => ({ name, tiles: tiles.map(unpackTile) });
  return { ...pair, left: side(pair.left), right: side(pair.right) };
}

function candidateHtml(candidate, place, thumbs, work) {
  const { tiles, cameras } = candidate;
  const state = work.accepted.includes(candidate) ? "joined" : work.rejected.includes(candidate) ? "refused" : "";
  const tokens = tiles
    .slice(0, 6)
    .map((tile) => thumbs + tile.token)
    .join(" ");
  const hint = counted(tiles.length, "image") + (cameras ? `, ${counted(cameras, "camera")}` : "");
  return (
    `<figure class="${state}" data-candidate="${place}" data-tokens="${tokens}" data-hint="${hint}"><img src="${thumbs}${tiles[0].token}" alt="candidate ${place + 1}, ${hint}" width="56" height="112" draggable="false">` +
    `${place < 9 ? `<kbd>${place + 1}</kbd>` : ""}${tiles.length > 1 ? `<small>×${tiles.length}</small>` : ""}<button type="button" data-refuse tabindex="-1" title="Not this ${PERSON}; never offered again">×</button></figure>`
  );
}

function identityHtml({ identity, name, color, tokens, n }, thumbs) {
  return (
    `<figure data-identity="${identity}" data-tokens="${tokens.map((token) => thumbs + token).join(" ")}" data-hint="${escape(name)}, ${counted(n, "image")}: add the chosen images">` +
    `<img src="${thumbs}${tokens[0]}" alt="${escape(name)}" width="56" height="112" draggable="false"><figcaption style="--c:${color}">${escape(name)}</figcaption></figure>`
  );
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".label");
  if (root.label && root.label.data.workspace !== data.workspace) {
    root.label.dispose();
    root.label = null;
  }
  root.label ??= new Label(root, data.workspace);
  root.label.update(data, setStateValue, () => setTriggerValue("rounds", true));
  return () => {
    root.label?.dispose();
    root.label = null;
  };
}
