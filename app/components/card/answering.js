// What is said about a card, on its way to the outbox: acts, undo and redo, and the questions between cards.
import { counted, nameOf } from "../shared_js/text.js";
import { PEOPLE, PERSON } from "../shared_js/words.js";
import { PAIR_BURST, PAIR_EVERY } from "./pair.js";
import { imagesOf } from "./work.js";

const MOST_S = 60; // a longer pause was not spent on the card

export class Answering {
  nCards = 0;

  /** @param {any} page */
  constructor(page) {
    this.page = page;
  }

  commit(kind, images, more, said) {
    const { work } = this.page;
    const seconds = Math.min(MOST_S, (performance.now() - this.page.shownAt) / 1000);
    const act = { kind, card: work.card.id, images, seconds: Math.round(seconds * 10) / 10, ...more };
    this.page.past.push({ work, act, said });
    this.page.future = [];
    this.send(act, { name: said.split(":")[0], tokens: work.chosen.map((tile) => tile.token) });
    this.nCards += 1;
    this.page.next();
    this.page.toast(said, { hasUndo: true });
    if (kind === "create" && this.isGoalReached()) this.review();
    else if (this.nCards % PAIR_EVERY === 0) this.ask(PAIR_BURST);
  }

  isGoalReached() {
    const { identities, goal } = this.page.data.progress;
    const nNew = [...this.page.pending.values()].filter(({ kind }) => kind === "create").length;
    if (!goal || identities + nNew < goal || this.reached === goal) return false;
    this.reached = goal;
    return true;
  }

  send(act, shownAs = {}) {
    const token = this.page.outbox.put(act);
    this.page.pending.set(token, { card: act.card, images: act.images ?? [], kind: act.kind, ...shownAs });
    this.page.drawing.drawProgress();
  }

  chosen() {
    const images = this.page.work.chosen.map((tile) => tile.image);
    if (!images.length)
      this.page.toast("No image is chosen: click one to take it back in, or press Space for the next card.");
    return images;
  }

  judged() {
    const { refused, rejected } = this.page.work;
    const shown = this.page.shown.filter((candidate) => !this.page.work.isSettled(candidate)).flatMap(imagesOf);
    return { dropped: refused, rejected: rejected.map(imagesOf), shown };
  }

  create() {
    const images = this.chosen();
    if (!images.length) return;
    if (this.isSecond) {
      this.second(images);
      return;
    }
    const nNew = [...this.page.pending.values()].filter(({ kind }) => kind === "create").length;
    this.commit(
      "create",
      images,
      this.judged(),
      `${nameOf(this.page.data.progress.next + nNew)}: ${this.summary(images)}`,
    );
  }

  // Identities that the server knows, and those that are on their way: these go by their token.
  people() {
    const open = [...this.page.pending].filter(([, { kind, name }]) => kind === "create" && name); // what a page before this one made has no name yet
    return [
      ...this.page.data.identities,
      ...open.map(([token, { name, tokens, images }]) => ({
        identity: token,
        name,
        color: "transparent",
        tokens,
        n: images.length,
      })),
    ];
  }

  choose() {
    const { nearest } = this.page.work.card;
    this.page.chooser.open(
      this.people(),
      nearest.map((identity) => [identity]),
    );
  }

  // A card that somebody else has answered: what is said of it changes no identity.
  get isSecond() {
    return this.page.work.card.id.startsWith("second-");
  }

  second(images, judged = this.judged()) {
    this.commit(
      "second",
      images,
      judged,
      `Second opinion: ${counted(images.length, "image")} kept apart from the first`,
    );
  }

  add({ identity, name }) {
    const images = this.chosen();
    if (images.length && this.isSecond) this.second(images);
    else if (images.length)
      this.commit("add", images, { identity, ...this.judged() }, `${name}: ${this.summary(images)} more`);
  }

  addToLikest() {
    const likest = this.page.names.get(this.page.work.card.nearest[0]);
    if (likest) this.add(likest);
    else this.page.toast("Nobody is labelled yet who looks like this card.");
  }

  aside(kind, said) {
    const images = this.chosen();
    if (images.length && this.isSecond) this.second([], { dropped: images, rejected: [], shown: [] });
    else if (images.length) this.commit(kind, images, {}, `${counted(images.length, "image")} ${said}`);
  }

  skip() {
    this.commit("skip", [], {}, "Skipped: this card comes back later");
  }

  summary(images) {
    const { work } = this.page;
    const cameras = new Set(work.chosen.map((tile) => tile.camera).filter((camera) => camera !== null)).size;
    const parts = [counted(images.length, "image")];
    if (cameras) parts.push(counted(cameras, "camera"));
    if (work.refused.length) parts.push(`${work.refused.length} taken out`);
    if (work.accepted.length) parts.push(`${work.accepted.length} joined`);
    return parts.join(", ");
  }

  split() {
    const parts = this.page.work.split();
    if (!parts) {
      this.page.toast("These all look alike. Take out who is somebody else, then press S: they are the next card.");
      return;
    }
    const [stay, away] = parts;
    this.page.queue.unshift(away);
    this.page.past.push({ work: this.page.work, split: away });
    this.page.future = [];
    this.page.work = stay;
    this.page.draw();
    this.page.toast(`Split: ${counted(stay.tiles.length, "image")} here, ${away.tiles.length} on the next card`, {
      hasUndo: true,
    });
  }

  // ---- undo and redo: of a change to this card, else of the last act that was sent
  undo() {
    const entry = this.page.past.pop();
    if (!entry) {
      this.send({ kind: "undo" });
      return;
    }
    if (entry.act)
      this.send(entry.act.kind === "skip" ? { ...entry.act, kind: "unskip", images: [] } : { kind: "undo" });
    if (entry.split) this.page.queue = this.page.queue.filter((card) => card.id !== entry.split.id);
    this.page.future.push({ ...entry, after: this.page.work });
    if (entry.work) this.page.show(entry.work);
    if (entry.act) this.page.toast(`Undone: ${entry.said}`);
  }

  redo() {
    const entry = this.page.future.pop();
    if (!entry) {
      this.send({ kind: "redo" });
      return;
    }
    this.page.past.push(entry);
    if (entry.act) {
      this.send(entry.act.kind === "skip" ? entry.act : { kind: "redo" });
      if (entry.work) this.page.next();
      this.page.toast(`Done again: ${entry.said}`, { hasUndo: true });
    } else {
      if (entry.split) this.page.queue.unshift(entry.split);
      this.page.work = entry.after;
      this.page.draw();
    }
  }

  // ---- pairs one after another: a review of what was joined, at a goal and when asked for, or those that count people
  review() {
    this.page.outbox.deliver("review", Date.now());
  }

  startRound() {
    const { told } = this.page.data.round;
    if (told) this.page.toast(told);
    if (!this.page.pair) this.ask(Infinity, "inARow");
  }

  // ---- pairs
  ask(n, from = "pairs") {
    if (!this.page[from].length) return false;
    this.nToAsk = n;
    this.from = from;
    this.page.pair = this.page[from].shift();
    this.page.asked.add(this.page.pair.id);
    this.page.draw();
    return true;
  }

  answer(answer) {
    const { id, question } = this.page.pair;
    this.page.pair = null;
    if (answer) {
      const act = { kind: "pair", question, answer };
      const said = { same: `Kept: the same ${PERSON}`, different: `Kept: two ${PEOPLE}`, unsure: "Kept: cannot tell" }[
        answer
      ];
      this.page.past.push({ act, said });
      this.page.future = [];
      this.send(act);
      this.page.toast(`${said}. This is not asked again.`, { hasUndo: true });
    } else {
      this.page.asked.delete(id);
    }
    if (!answer || this.nToAsk <= 1 || !this.ask(this.nToAsk - 1, this.from)) {
      if (answer && this.from === "inARow") this.page.toast(`Done, thank you. ${this.page.data.round.told}`);
      this.page.shownAt = performance.now();
      this.page.draw();
    }
  }
}
