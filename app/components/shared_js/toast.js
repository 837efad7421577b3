// A line that says what was done, for some seconds, with Undo.

export class Toast {
  /**
   * @param {HTMLElement} element Holds a span for the text, and the button.
   * @param {number} shownMs
   */
  constructor(element, shownMs) {
    this.element = element;
    this.shownMs = shownMs;
  }

  /** @param {string} text */
  say(text, { isRefused = false, hasUndo = false } = {}) {
    const { element } = this;
    element.querySelector("span").textContent = text;
    element.querySelector("button").hidden = !hasUndo;
    element.classList.toggle("refused", isRefused);
    element.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), this.shownMs);
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }
}
