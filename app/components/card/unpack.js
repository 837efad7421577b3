// What the server sends, as the card works with it.
import { Likeness } from "./likeness.js";
import { Work } from "./work.js";

export function unpackTile([image, token, camera, tracklet, isChosen, isReliable, point]) {
  return { image, token, camera, tracklet, isChosen: Boolean(isChosen), isReliable: Boolean(isReliable), point };
}

function unpackCandidate(candidate) {
  const tiles = candidate.tiles.map(unpackTile);
  return { ...candidate, tiles, point: tiles[0].point };
}

export function unpackPool({ candidates, likeness }) {
  return { candidates: candidates.map(unpackCandidate), likeness: new Likeness(likeness) };
}

export function unpackCard(card) {
  return { ...card, ...unpackPool(card), tiles: card.tiles.map(unpackTile), joined: card.joined.map(unpackCandidate) };
}

export function unpackPair(pair) {
  const side = ({ name, tiles }) => ({ name, tiles: tiles.map(unpackTile) });
  return { ...pair, left: side(pair.left), right: side(pair.right) };
}

/** A draft that the server laid out again: the work goes on where it was left. */
export function unpackDraft({ card, dropped, accepted, rejected }) {
  return new Work(unpackCard(card), {
    dropped: new Set(dropped),
    accepted: accepted.map(unpackCandidate),
    rejected: rejected.map(unpackCandidate),
  });
}
