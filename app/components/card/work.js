// What is being done to one card. A value: every change makes a new one, so that undo is to go back to the old.
const N_CANDIDATES = 12;

class Work {
  constructor(card, changes = {}) {
    Object.assign(this, { card, tiles: card.tiles, dropped: looseOf(card), accepted: [], rejected: [], row: null }, changes);
  }

  with(changes) {
    const { dropped, accepted, rejected, tiles, row } = this;
    return new Work(this.card, { tiles, dropped, accepted, rejected, row, ...changes });
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

  drop(images, isDropped) {
    const dropped = new Set(this.dropped);
    for (const image of images) if (isDropped) dropped.add(image); else dropped.delete(image);
    return this.with({ dropped });
  }

  // The row of candidates stands still until `0`, so that several can be joined in one look; a second press takes one back.
  join(candidate, row) {
    const accepted = this.accepted.includes(candidate) ? this.accepted.filter((other) => other !== candidate) : [...this.accepted, candidate];
    return this.with({ accepted, rejected: this.rejected.filter((other) => other !== candidate), row });
  }

  // Done with a row: all up to a place join, for it is ranked and its first ones are mostly right; the others are somebody else.
  joinUpTo(place, row) {
    const open = row.slice(0, place + 1).filter((candidate) => !this.isSettled(candidate));
    return this.with({ accepted: [...this.accepted, ...open] }).pass(row);
  }

  reject(candidate, row) {
    return this.with({ rejected: [...this.rejected, candidate], accepted: this.accepted.filter((other) => other !== candidate), row });
  }

  // None of the others of the row: the next row may come.
  pass(row) {
    return this.with({ rejected: [...this.rejected, ...row.filter((candidate) => !this.isSettled(candidate))], row: null });
  }

  isSettled(candidate) {
    return this.accepted.includes(candidate) || this.rejected.includes(candidate);
  }

  // Who else, from a pool of the card's own or one that came later.
  candidates({ candidates, likeness }, used) {
    const gone = new Set([...this.accepted, ...this.rejected].flatMap(imagesOf));
    const members = this.chosen.map((tile) => tile.tracklet);
    return candidates
      .filter((candidate) => !imagesOf(candidate).some((image) => gone.has(image) || used.has(image)))
      .map((candidate, place) => [likeness.toPerson(candidate, members), place, candidate])
      .sort(([a, i], [b, j]) => b - a || i - j)
      .slice(0, N_CANDIDATES)
      .map(([, , candidate]) => candidate);
  }

  // The dropped tiles, or where none are dropped the half that looks less like the rest, as a card of its own.
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
    return [stay, { ...this.card, id, reason: "split off from the card before", tiles: away }];
  }
}

function looseOf(card) {
  return new Set(card.tiles.filter((tile) => !tile.isChosen).map((tile) => tile.image));
}

const imagesOf = ({ tiles }) => tiles.map((tile) => tile.image);
