// What a key or a press of the mouse means on the Label page.
import { keyName } from "../shared_js/keys.js";
import { PEOPLE } from "../shared_js/words.js";
import { PAIR_BURST } from "./pair.js";

export class CardControls {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    const { root } = page;
    root.onclick = (event) => this.click(event);
    root.onmousedown = (event) => {
      if (/** @type {Element} */ (event.target).closest("button")) event.preventDefault(); // buttons take no focus
    };
    page.find("help").onpointerdown = (event) => {
      if (event.target === page.find("help")) this.toggleHelp();
    };
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
  }

  key(event) {
    const isOurs = this.page.root.contains(event.target);
    const key = keyName(event);
    if (event.isComposing || event.altKey || (event.metaKey && key !== "z")) return;
    if (!isOurs && event.target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=listbox]"))
      return;
    const isPress = [" ", "Enter"].includes(event.key);
    if (isPress && event.target.closest?.("button, a, summary, [role=button]")) return; // led there by Tab: its own click
    if (this.page.chooser.isOpen) return;
    if (event.key === " " && this.page.tiles.hasFocus) {
      event.preventDefault();
      if (!event.repeat) this.page.tiles.toggle(event.shiftKey);
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
      if (key === "z") return event.shiftKey ? () => this.page.answers.redo() : () => this.page.answers.undo();
      return key === "y" ? () => this.page.answers.redo() : null;
    }
    if (!this.page.find("help").hidden) {
      const isOver = ["Escape", "?", "Enter"].includes(key);
      return isOver
        ? () => this.toggleHelp()
        : key === "Tab"
          ? () => this.page.find("help").querySelector("button").focus()
          : null;
    }
    if (this.page.pair) {
      const answers = { y: "same", n: "different", "?": "unsure", u: "unsure", Escape: "" };
      return key in answers && !event.repeat ? () => this.page.answers.answer(answers[key]) : null;
    }
    if (key === "?") return () => this.toggleHelp();
    if (/^[1-9]$/.test(key) && this.page.work) return () => this.page.join(Number(key) - 1, { isLast: event.shiftKey });
    if (key === "0" && this.page.work) return () => this.act(event.shiftKey ? "all" : "none");
    const acts = {
      Enter: "create",
      a: "choose",
      s: "split",
      p: "pair",
      v: "review",
      u: "unsure",
      x: "junk",
      " ": "skip",
    };
    if (key === "a" && event.shiftKey) return event.repeat ? () => {} : () => this.act("likest");
    if (acts[key] && !event.shiftKey) return event.repeat ? () => {} : () => this.act(acts[key]); // a key held down is pressed once
    const moves = {
      ArrowLeft: () => this.page.tiles.move(-1, event.shiftKey),
      ArrowRight: () => this.page.tiles.move(1, event.shiftKey),
      ArrowUp: () => this.page.tiles.moveLine(-1),
      ArrowDown: () => this.page.tiles.moveLine(1),
      d: () => this.page.tiles.toggle(event.shiftKey),
      f: () => this.page.tiles.findLike(),
      Delete: () => this.page.tiles.toggle(event.shiftKey),
      Backspace: () => this.page.tiles.toggle(event.shiftKey),
    };
    return this.page.work ? moves[key] : null;
  }

  act(name) {
    const always = {
      undo: () => this.page.answers.undo(),
      redo: () => this.page.answers.redo(),
      help: () => this.toggleHelp(),
      review: () => this.page.answers.review(),
      pair: () =>
        this.page.answers.ask(PAIR_BURST) ||
        this.page.toast(`No question is open now: label a few more ${PEOPLE} first.`),
    };
    const onCard = {
      create: () => this.page.answers.create(),
      split: () => this.page.answers.split(),
      skip: () => this.page.answers.skip(),
      choose: () => this.page.answers.choose(),
      none: () => this.page.pass(),
      all: () => this.page.join(this.page.shown.length - 1, { isLast: true }),
      likest: () => this.page.answers.addToLikest(),
      unsure: () => this.page.answers.aside("unsure", "set aside as unsure"),
      junk: () => this.page.answers.aside("junk", "marked as junk: out of training"),
    };
    if (always[name]) always[name]();
    else if (this.page.work && !this.page.pair) onCard[name]?.();
  }

  click(event) {
    const { target } = event;
    const act = target.closest("[data-act]")?.dataset.act;
    const answer = target.closest("[data-answer]")?.dataset.answer;
    const candidate = target.closest("[data-candidate]");
    const identity = target.closest("[data-identity]")?.dataset.identity;
    if (act) this.act(act);
    else if (answer !== undefined) this.page.answers.answer(answer);
    else if (candidate)
      this.page.join(Number(candidate.dataset.candidate), {
        isLast: event.shiftKey,
        isRefused: Boolean(target.closest("[data-refuse]")),
      });
    else if (identity) this.page.answers.add(this.page.names.get(Number(identity)));
  }

  toggleHelp() {
    const help = this.page.find("help");
    help.hidden = !help.hidden;
    if (help.hidden) this.beforeHelp?.focus?.({ preventScroll: true });
    else {
      this.beforeHelp = /** @type {HTMLElement | null} */ (document.activeElement);
      help.querySelector("button").focus();
    }
  }
}
