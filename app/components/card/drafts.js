// Unfinished work on cards, kept in the browser per author and workspace until it is committed.
import { imagesOf } from "./work.js";

const BEAT_MS = 5000; // how often an open page says that its drafts are its own
const GONE_MS = 20_000; // after this time without a word, a page counts as closed
const TAB = "pul:tab";

/**
 * @typedef {{ id: string, reason: string, tiles: number[], loose: number[], dropped: number[], accepted: number[][],
 *   rejected: number[][] }} Draft
 */

export class Drafts {
  /** @type {Draft[]} */
  mine = [];

  /**
   * @param {string} workspace
   * @param {string} author
   * @param {{ local?: Storage, session?: Storage, now?: () => number }} places For tests.
   */
  constructor(workspace, author, { local, session, now } = {}) {
    this.local = local ?? storageOf("localStorage");
    this.session = session ?? storageOf("sessionStorage");
    this.now = now ?? (() => Date.now());
    this.prefix = `pul:drafts:${workspace}:${author}:`;
    this.tab = this.read(this.session, TAB) ?? newTab();
    this.write(this.session, TAB, this.tab);
    this.timer = setInterval(() => this.mine.length && this.store(), BEAT_MS);
  }

  dispose() {
    clearInterval(this.timer);
  }

  /** What this page left before it was loaded again, and what closed pages left: it is taken over. */
  found() {
    const drafts = new Map();
    for (const key of this.keys()) {
      const isOwn = key === this.prefix + this.tab;
      const { at = 0, works = [] } = parsed(this.read(this.local, key)) ?? {};
      if (!isOwn && this.now() - at < GONE_MS) continue;
      for (const draft of Array.isArray(works) ? works : [])
        if (typeof draft?.id === "string" && Array.isArray(draft.tiles)) drafts.set(draft.id, draft);
      if (!isOwn) this.write(this.local, key, null);
    }
    this.mine = [...drafts.values()];
    this.store();
    return this.mine;
  }

  /** @param {import("./work.js").Work[]} works All that is on the screen or waits; only what was touched is kept. */
  keep(works) {
    const drafts = works.filter(isTouched).map(plainOf);
    if (!drafts.length && !this.mine.length) return;
    this.mine = drafts;
    this.store();
  }

  store() {
    const text = this.mine.length ? JSON.stringify({ at: this.now(), works: this.mine }) : null;
    this.write(this.local, this.prefix + this.tab, text);
  }

  keys() {
    try {
      return Object.keys(this.local).filter((key) => key.startsWith(this.prefix));
    } catch {
      return [];
    }
  }

  read(place, key) {
    try {
      return place.getItem(key);
    } catch {
      return null;
    }
  }

  write(place, key, value) {
    try {
      if (value === null) place.removeItem(key);
      else place.setItem(key, value);
    } catch {
      /* a browser that keeps nothing still labels */
    }
  }
}

/** Whether somebody has changed a card: what was split off is a change of its own. */
export function isTouched(work) {
  const fresh = new Set(work.card.tiles.filter((tile) => !tile.isChosen).map((tile) => tile.image));
  const isSame = fresh.size === work.dropped.size && [...fresh].every((image) => work.dropped.has(image));
  const isWhole = work.tiles.length === work.card.tiles.length;
  const { joined } = work.card;
  const isJoined = work.accepted.length === joined.length && joined.every((each) => work.accepted.includes(each));
  return !isSame || !isWhole || !isJoined || work.rejected.length > 0 || work.card.id.includes("/");
}

/** @returns {Draft} What a page needs to go on, without pictures: their addresses expire. */
function plainOf({ card, tiles, dropped, accepted, rejected }) {
  return {
    id: card.id,
    reason: card.reason,
    tiles: tiles.map((tile) => tile.image),
    loose: tiles.filter((tile) => !tile.isChosen).map((tile) => tile.image),
    dropped: [...dropped],
    accepted: accepted.map(imagesOf),
    rejected: rejected.map(imagesOf),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function storageOf(name) {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}

const newTab = () => Math.random().toString(36).slice(2) + Date.now().toString(36);
