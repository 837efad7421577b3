// What a person did and the server has not yet stored: in order, and in the browser's storage until it has.
const RESEND_MS = 4000; // at first; twice as long each time, or a slow server would only get more to do
const RESEND_AT_MOST_MS = 60_000;
const TOKEN = /^[\w.:-]{1,200}$/; // as in app/services/acts.py

/**
 * @typedef {import("./types").Act} Act
 * @typedef {import("./types").Commit} Commit
 */

export class Outbox {
  /** @type {import("./types").Send | undefined} */
  deliver;
  sentAt = 0;
  /** @type {Set<string> | undefined} Acts whose outcome was told. */
  heardOf;

  /**
   * @param {string} workspace
   * @param {() => void} onChange
   */
  constructor(workspace, onChange) {
    this.prefix = `pul:outbox:${workspace}:`;
    this.onChange = onChange;
    this.tab = newName();
    this.number = 0;
    this.resendMs = RESEND_MS;
    /** @type {Commit[]} */
    this.commits = this.leftBehind();
    this.timer = setInterval(() => this.resend(), 1000);
  }

  dispose() {
    clearInterval(this.timer);
  }

  connect(send, name) {
    if (name) store("pul:name", name); // for other workspaces
    const isFirst = !this.deliver;
    this.deliver = send;
    if (isFirst) this.send(); // also tells the server the name
  }

  /**
   * @param {Act} act
   * @returns {string} Its token.
   */
  put(act) {
    this.number += 1;
    const commit = { token: `${this.tab}-${this.number}`, ...act };
    this.commits.push(commit);
    store(this.prefix + this.tab, JSON.stringify(this.commits));
    this.send();
    return commit.token;
  }

  /** @param {Iterable<string>} tokens Of the acts that the server has stored. */
  acknowledge(tokens) {
    const known = new Set(tokens);
    const before = this.commits.length;
    this.commits = this.commits.filter((commit) => !known.has(commit.token));
    if (this.commits.length === before) return;
    this.resendMs = RESEND_MS;
    for (const key of this.keys()) {
      const left = actsAt(key).filter((commit) => !known.has(commit.token));
      store(key, left.length ? JSON.stringify(left) : null);
    }
    this.onChange();
  }

  /**
   * The outcomes that the server did not tell before; at first there are none.
   * @param {any[]} outcomes
   */
  news(outcomes) {
    const { heardOf } = this;
    this.heardOf = new Set(outcomes.map(({ token }) => token));
    return heardOf ? outcomes.filter(({ token }) => !heardOf.has(token)) : [];
  }

  send() {
    this.sentAt = performance.now();
    this.deliver?.("outbox", {
      name: stored("pul:name"),
      commits: this.commits,
      sent: `${this.tab}-${Date.now()}`,
    });
    this.onChange();
  }

  resend() {
    if (!this.commits.length || performance.now() - this.sentAt <= this.resendMs) return;
    this.resendMs = Math.min(2 * this.resendMs, RESEND_AT_MOST_MS);
    this.send();
  }

  get isLate() {
    return this.commits.length > 0 && performance.now() - this.sentAt > RESEND_MS / 2;
  }

  leftBehind() {
    // by a page that was closed or reloaded before the server had answered
    return this.keys().flatMap(actsAt);
  }

  keys() {
    try {
      return Object.keys(localStorage)
        .filter((key) => key.startsWith(this.prefix))
        .sort();
    } catch {
      return [];
    }
  }
}

// What is stored may be damaged: whatever is no act would hold up the queue for ever.
function actsAt(key) {
  try {
    const acts = JSON.parse(stored(key) ?? "[]");
    return Array.isArray(acts) ? acts.filter(isAct) : [];
  } catch {
    return [];
  }
}

const isAct = (act) => typeof act?.token === "string" && TOKEN.test(act.token) && typeof act.kind === "string";

const newName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36).padStart(2, "0")).join("");

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key, value) {
  // a browser that keeps nothing still labels: the queue is in memory too
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    /* kept in memory */
  }
}
