// Page 2: one card after another, drawn here from what is preloaded; acts go to the server through the outbox.
import { mounted } from "../shared_js/mounting.js";
import { NameField } from "../shared_js/name_field.js";
import { Outbox } from "../shared_js/outbox.js";
import { Toast } from "../shared_js/toast.js";
import { Zoom } from "../shared_js/zoom.js";
import { Answering } from "./answering.js";
import { CardControls } from "./controls.js";
import { Drafts, isTouched } from "./drafts.js";
import { CardDrawing } from "./drawing.js";
import { Tiles } from "./tiles.js";
import { unpackCard, unpackDraft, unpackPair, unpackPool } from "./unpack.js";
import { Work, imagesOf } from "./work.js";

const TOAST_MS = 6000;
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
  /** @type {any[]} Pairs that are left of a round: a review, or those that count people. */
  inARow = [];
  roundAt = 0;
  /** @type {Work | null} */
  work = null;
  /** @type {import("../shared_js/types").Candidate[]} Candidates on the screen, by place. */
  shown = [];
  nUnlikely = 0;

  /**
   * @param {HTMLElement} root
   * @param {string} workspace
   * @param {string} author
   */
  constructor(root, workspace, author) {
    this.root = root;
    /** @type {(name: string) => any} */
    this.find = (name) => root.querySelector(`.label-${name}`);
    this.drawing = new CardDrawing(this);
    this.answers = new Answering(this);
    this.outbox = new Outbox(workspace, () => this.drawing.drawProgress());
    this.drafts = new Drafts(workspace, author);
    this.toasts = new Toast(this.find("toast"), TOAST_MS);
    this.zoom = new Zoom(this.find("zoom"));
    this.tiles = new Tiles(this.find("tiles"), this.zoom, {
      onMark: (images, isDropped) => this.edit(this.work.drop(images, isDropped)),
      onLike: (image) => this.findLike(image),
    });
    this.chooser = new NameField(this.find("chooser"), {
      onChoose: (identity) => this.answers.add(identity),
      picturesOf: ({ tokens }) => tokens.slice(0, 4).map((token) => this.data.thumbs + token),
      none: "No identity yet: Enter on the card makes the first.",
    });
    // Acts of this page before it was loaded again: their cards are answered.
    for (const { token, card, images = [], kind } of this.outbox.commits)
      this.pending.set(token, { card, images, kind, name: "", tokens: [] });
    this.controls = new CardControls(this);
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    if (focused?.closest("[data-testid=stSidebarNav], .pul-line")) focused.blur(); // the link that led here: Enter is for the card
  }

  dispose() {
    this.controls.dispose();
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
    this.takeRound(data.round, isFirst);
    if (isFirst) this.askForDrafts();
    if (this.asksFor && data.drafts?.asked === this.asksFor) this.takeUp(data.drafts);
    if (this.work) this.draw();
    else if (this.asksFor && !this.isLate) this.drawing.drawEmpty();
    else this.next();
    this.hear(data.outcomes);
    this.drawing.drawProgress();
  }

  // Pairs that are asked one after another; a review that was asked for before the page was loaded is over.
  takeRound({ at, isCount, pairs }, isFirst) {
    const isNew = at !== this.roundAt;
    this.roundAt = at;
    if (!at || (isFirst && !isCount)) return;
    if (isNew || isCount) this.inARow = pairs.filter(({ id }) => !this.asked.has(id)).map(unpackPair);
    if (isNew) this.answers.startRound();
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
    card.pictures = [
      ...card.tiles,
      ...card.joined.flatMap(({ tiles }) => tiles),
      ...card.candidates.slice(0, 12).map(({ tiles }) => tiles[0]),
    ].map((tile) => {
      const picture = new Image();
      picture.src = this.data.thumbs + tile.token;
      return picture;
    });
  }

  // Acts that were refused, and those of which only the server knows what they did.
  hear(outcomes) {
    const isTold = ({ kind, is_refused: isRefused, is_news: isNews }) =>
      isRefused || isNews || kind === "undo" || kind === "redo";
    const news = this.outbox.news(outcomes).filter(isTold).at(-1);
    if (!news) return;
    const { text, kind, is_refused: isRefused } = news;
    this.toast(text, { hasUndo: kind === "redo" && !isRefused, isRefused });
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
    const isLeft = (tile) => !used.has(tile.image);
    this.work = card
      ? (card.work ??
        new Work({
          ...card,
          tiles: card.tiles.filter(isLeft),
          joined: card.joined.filter(({ tiles }) => tiles.every(isLeft)),
        }))
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

  join(place, { isLast = false, isRefused = false } = {}) {
    const candidate = this.shown[place];
    if (!candidate) return;
    if (isRefused) this.edit(this.work.reject(candidate, this.shown));
    else this.edit(isLast ? this.work.joinUpTo(place, this.shown) : this.work.join(candidate, this.shown));
  }

  // The others of the row are somebody else; where nobody is in it, those come who are unlikely.
  pass() {
    if (this.shown.length) this.edit(this.work.pass(this.shown));
    else if (this.nUnlikely) this.edit(this.work.with({ isThorough: true }));
  }

  // The training images that look like one of the card, on the page that lists them; what was begun here is kept.
  findLike(image) {
    this.outbox.deliver("like", { image, at: Date.now() });
  }

  draw() {
    this.drawing.draw();
  }

  /** @param {string} text */
  toast(text, { isRefused = false, hasUndo = false } = {}) {
    this.toasts.say(text, { isRefused, hasUndo });
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".label");
  const [label, leave] = mounted(
    root,
    (before) => before.data.workspace === data.workspace,
    () => new Label(root, data.workspace, data.author),
  );
  label.update(data, setStateValue);
  return leave;
}
