// What is being done to one card. A value: every change makes a new one, so that undo is to go back to the old.
const N_CANDIDATES = 12;

/**
 * @typedef {import("../shared_js/types").Tile} Tile
 * @typedef {import("../shared_js/types").Candidate} Candidate
 * @typedef {import("../shared_js/types").Card} Card
 * @typedef {import("../shared_js/types").Pool} Pool
 * @typedef {{ tiles?: Tile[], dropped?: Set<number>, accepted?: Candidate[], rejected?: Candidate[],
 *   row?: Candidate[] | null, isFirst?: boolean, isThorough?: boolean }} Changes
 */

export class Work {
  /**
   * @param {Card} card
   * @param {Changes} changes
   */
  constructor(card, changes = {}) {
    this.card = card;
    this.tiles = changes.tiles ?? card.tiles;
    /** Images that are out: taken out by hand, or not chosen to begin with. */
    this.dropped = changes.dropped ?? looseOf(card);
    /** @type {Candidate[]} Those that joined, some before anyone looked. */
    this.accepted = changes.accepted ?? card.joined;
    /** @type {Candidate[]} */
    this.rejected = changes.rejected ?? [];
    /** The candidates on the screen, while somebody chooses among them. */
    this.row = changes.row ?? null;
    /** Whether no row has been passed yet: the first one begins with who joined beforehand. */
    this.isFirst = changes.isFirst ?? true;
    /** Whether unlikely candidates are shown too. */
    this.isThorough = changes.isThorough ?? false;
  }

  /**
   * @param {Changes} changes
   * @returns {Work}
   */
  with(changes) {
    const { dropped, accepted, rejected, tiles, row, isFirst, isThorough } = this;
    return new Work(this.card, { tiles, dropped, accepted, rejected, row, isFirst, isThorough, ...changes });
  }

  get allTiles() {
    return [...this.tiles, ...this.accepted.flatMap((candidate) => candidate.tiles)];
  }

  get chosen() {
    return this.allTiles.filter((tile) => !this.dropped.has(tile.image));
  }

  // Said to be somebody else; what was never chosen is left open.
  get refused() {
    return this.allTiles.filter((tile) => this.dropped.has(tile.image) && tile.isChosen).map((tile) => tile.image);
  }

  /**
   * @param {Iterable<number>} images
   * @param {boolean} isDropped
   */
  drop(images, isDropped) {
    const dropped = new Set(this.dropped);
    for (const image of images)
      if (isDropped) dropped.add(image);
      else dropped.delete(image);
    return this.with({ dropped });
  }

  /**
   * Join a candidate, or take it back; one that joined beforehand and is taken out is somebody else. The row does not
   * move until `0`, so that several can be joined in one look.
   * @param {Candidate} candidate
   * @param {Candidate[]} row
   */
  join(candidate, row) {
    const isIn = this.accepted.includes(candidate);
    if (isIn && this.card.joined.includes(candidate)) return this.reject(candidate, row);
    const accepted = isIn ? this.accepted.filter((other) => other !== candidate) : [...this.accepted, candidate];
    return this.with({ accepted, rejected: this.rejected.filter((other) => other !== candidate), row });
  }

  /**
   * Finish a row: all up to a place join, as it is ranked and its first ones are mostly right; the others are not this
   * person.
   * @param {number} place
   * @param {Candidate[]} row
   */
  joinUpTo(place, row) {
    const open = row.slice(0, place + 1).filter((candidate) => !this.isSettled(candidate));
    return this.with({ accepted: [...this.accepted, ...open] }).pass(row);
  }

  /**
   * @param {Candidate} candidate
   * @param {Candidate[]} row
   */
  reject(candidate, row) {
    return this.with({
      rejected: [...this.rejected, candidate],
      accepted: this.accepted.filter((other) => other !== candidate),
      row,
    });
  }

  /**
   * None of the others of the row: the next row may come.
   * @param {Candidate[]} row
   */
  pass(row) {
    return this.with({
      rejected: [...this.rejected, ...row.filter((candidate) => !this.isSettled(candidate))],
      row: null,
      isFirst: false,
    });
  }

  /** @param {Candidate} candidate */
  isSettled(candidate) {
    return this.accepted.includes(candidate) || this.rejected.includes(candidate);
  }

  /**
   * A row to choose from: in the first one those that joined beforehand, which a number takes out, then who else.
   * @param {Pool} pool
   * @param {Set<number>} used Images that are elsewhere already.
   * @returns {Candidate[]}
   */
  offered(pool, used) {
    const joined = this.isFirst ? this.card.joined : [];
    const others = this.candidates(pool, used).filter(({ isUnlikely }) => this.isThorough || !isUnlikely);
    return [...joined, ...others.slice(0, Math.max(0, N_CANDIDATES - joined.length))];
  }

  /**
   * Who else, from a pool of the card's own or one that came later.
   * @param {Pool} pool
   * @param {Set<number>} used Images that are elsewhere already.
   * @returns {Candidate[]}
   */
  candidates({ candidates, likeness }, used) {
    const gone = new Set([...this.accepted, ...this.rejected].flatMap(imagesOf));
    const members = this.chosen.map((tile) => tile.tracklet);
    return candidates
      .filter((candidate) => !imagesOf(candidate).some((image) => gone.has(image) || used.has(image)))
      .map((candidate, place) => /** @type {const} */ ([likeness.toPerson(candidate, members), place, candidate]))
      .sort(([a, i], [b, j]) => b - a || i - j)
      .slice(0, N_CANDIDATES)
      .map(([, , candidate]) => candidate);
  }

  /**
   * The dropped tiles, or where none are dropped the half that looks less like the rest, as a card of its own.
   * @returns {[Work, Card] | null} What stays and what goes; null where all look alike.
   */
  split() {
    const own = this.tiles;
    const chosen = own.filter((tile) => !this.dropped.has(tile.image));
    let away = own.filter((tile) => this.dropped.has(tile.image) && tile.isChosen);
    if (!away.length) {
      const far = new Set(this.card.likeness.halve([...new Set(chosen.map((tile) => tile.tracklet))])[1]);
      away = chosen.filter((tile) => far.has(tile.tracklet));
    }
    if (!away.length || !chosen.some((tile) => !away.includes(tile))) return null;
    const dropped = new Set([...this.dropped].filter((image) => !away.some((tile) => tile.image === image)));
    const stay = this.with({ tiles: own.filter((tile) => !away.includes(tile)), dropped });
    const id = `${this.card.id}/${away[0].image}`;
    return [stay, { ...this.card, id, reason: "split off from the card before", tiles: away, joined: [] }];
  }
}

/** @param {Card} card */
function looseOf(card) {
  return new Set(card.tiles.filter((tile) => !tile.isChosen).map((tile) => tile.image));
}

/** @param {Candidate} candidate */
export const imagesOf = ({ tiles }) => tiles.map((tile) => tile.image);
