import assert from "node:assert/strict";
import { test } from "node:test";

import { Work } from "../../app/components/card/work.js";
import { candidate, card, imagesIn, likeness, tile } from "./cards.js";

test("a new card has the chosen tiles in, the loose ones out, and refuses nobody", () => {
  const work = new Work(card([tile(1), tile(2), tile(3, { isChosen: false })]));
  assert.deepEqual(imagesIn(work.chosen), [1, 2]);
  assert.deepEqual(work.refused, []);
});

test("what is taken out is refused, what was loose is left open", () => {
  const work = new Work(card([tile(1), tile(2), tile(3, { isChosen: false })])).drop([1, 3], true);
  assert.deepEqual(imagesIn(work.chosen), [2]);
  assert.deepEqual(work.refused, [1]);
});

test("a loose tile that is taken in is chosen", () => {
  const work = new Work(card([tile(1), tile(3, { isChosen: false })])).drop([3], false);
  assert.deepEqual(imagesIn(work.chosen), [1, 3]);
});

test("a change makes a new value: the old one is what undo goes back to", () => {
  const before = new Work(card([tile(1), tile(2)]));
  const after = before.drop([2], true).join(candidate(5), []);
  assert.deepEqual(imagesIn(before.chosen), [1, 2]);
  assert.deepEqual(before.accepted, []);
  assert.deepEqual(imagesIn(after.chosen), [1, 5]);
});

test("a candidate joins, and a second press takes it back", () => {
  const other = candidate(7, 8);
  const joined = new Work(card([tile(1)])).join(other, [other]);
  assert.deepEqual(imagesIn(joined.chosen), [1, 7, 8]);
  assert.deepEqual(joined.row, [other]);
  assert.deepEqual(imagesIn(joined.join(other, [other]).chosen), [1]);
});

test("a candidate that was refused may join after all, and the other way round", () => {
  const other = candidate(7);
  const refused = new Work(card([tile(1)])).reject(other, [other]);
  assert.deepEqual(refused.rejected, [other]);
  const joined = refused.join(other, [other]);
  assert.deepEqual([joined.accepted, joined.rejected], [[other], []]);
  const again = joined.reject(other, [other]);
  assert.deepEqual([again.accepted, again.rejected], [[], [other]]);
});

test("joining up to a place joins the open ones before it and refuses the open ones behind it", () => {
  const row = [candidate(5), candidate(6), candidate(7), candidate(8)];
  const work = new Work(card([tile(1)])).reject(row[0], row).joinUpTo(2, row);
  assert.deepEqual(work.accepted, [row[1], row[2]]);
  assert.deepEqual(work.rejected, [row[0], row[3]]);
  assert.equal(work.row, null);
});

test("a row that is passed refuses those that nobody joined", () => {
  const row = [candidate(5), candidate(6)];
  const work = new Work(card([tile(1)])).join(row[1], row).pass(row);
  assert.deepEqual([work.accepted, work.rejected, work.row], [[row[1]], [row[0]], null]);
});

// Tracklets 1 and 2 are on the card; 5 is as 1, 6 as 2, 7 as neither.
const ALIKE = likeness(
  [1, 2, 5, 6, 7],
  [
    [99, 10, 80, 5, 0],
    [10, 99, 15, 60, 0],
    [80, 15, 99, 0, 0],
    [5, 60, 0, 99, 0],
    [0, 0, 0, 0, 99],
  ],
);

test("candidates come in the order of their likeness to who is chosen now", () => {
  const pool = { candidates: [candidate(7), candidate(6), candidate(5)], likeness: ALIKE };
  const work = new Work(card([tile(1), tile(2)]));
  // The mean of all and the best: 5 has (80 + 15) / 4 + 80 / 2 = 63.75, 6 has 46.25, 7 has 0.
  assert.deepEqual(
    work.candidates(pool, new Set()).map(({ tiles }) => tiles[0].image),
    [5, 6, 7],
  );
  const without = work.drop([1], true); // of 2 alone: 5 has 15, 6 has 60
  assert.deepEqual(
    without.candidates(pool, new Set()).map(({ tiles }) => tiles[0].image),
    [6, 5, 7],
  );
});

test("candidates leave out what was joined or refused, and what is used elsewhere", () => {
  const pool = { candidates: [candidate(5), candidate(6), candidate(7)], likeness: ALIKE };
  const work = new Work(card([tile(1)])).join(pool.candidates[0], []);
  assert.deepEqual(
    work.candidates(pool, new Set([7])).map(({ tiles }) => tiles[0].image),
    [6],
  );
});

test("candidates are at most twelve, equals in the server's order", () => {
  const pool = { candidates: Array.from({ length: 20 }, (_, n) => candidate(100 + n)), likeness: likeness([], []) };
  const shown = new Work(card([tile(1)])).candidates(pool, new Set());
  assert.deepEqual(
    shown.map(({ tiles }) => tiles[0].image),
    Array.from({ length: 12 }, (_, n) => 100 + n),
  );
});

test("a split takes what was taken out as a card of its own", () => {
  const parts = new Work(card([tile(1), tile(2), tile(3)])).drop([2], true).split();
  const [stay, away] = parts;
  assert.deepEqual(imagesIn(stay.tiles), [1, 3]);
  assert.deepEqual(stay.refused, []);
  assert.deepEqual(imagesIn(away.tiles), [2]);
  assert.equal(away.id, "c1/2");
});

test("a split where nobody was taken out goes by likeness", () => {
  const alike = likeness(
    [1, 2, 3],
    [
      [99, 90, 5],
      [90, 99, 10],
      [5, 10, 99],
    ],
  );
  const [stay, away] = new Work(card([tile(1), tile(2), tile(3)], { alike })).split();
  assert.deepEqual([imagesIn(stay.tiles), imagesIn(away.tiles)], [[1, 2], [3]]);
});

test("one image cannot be split, nor can all be taken away", () => {
  const alike = likeness([1], [[99]]);
  assert.equal(new Work(card([tile(1)], { alike })).split(), null);
  assert.equal(new Work(card([tile(1), tile(2)])).drop([1, 2], true).split(), null);
});

test("who joined beforehand is in, comes first in the first row, and is refused when taken out", () => {
  const [sure, other] = [candidate(5), candidate(6)];
  const pool = { candidates: [other], likeness: ALIKE };
  const work = new Work(card([tile(1)], { joined: [sure] }));
  assert.deepEqual(imagesIn(work.chosen), [1, 5]);
  const row = work.offered(pool, new Set());
  assert.deepEqual(row, [sure, other]);
  const without = work.join(sure, row);
  assert.deepEqual([without.accepted, without.rejected], [[], [sure]]);
  assert.deepEqual(without.join(sure, row).accepted, [sure]);
  const next = without.joinUpTo(1, row);
  assert.deepEqual([next.accepted, next.rejected], [[other], [sure]]);
  assert.deepEqual(next.offered({ candidates: [], likeness: ALIKE }, new Set()), []);
});

test("a row is twelve, or all who joined beforehand where they are more", () => {
  const joined = Array.from({ length: 14 }, (_, n) => candidate(100 + n));
  const pool = { candidates: Array.from({ length: 20 }, (_, n) => candidate(200 + n)), likeness: likeness([], []) };
  assert.equal(new Work(card([tile(1)], { joined })).offered(pool, new Set()).length, 14);
  assert.equal(new Work(card([tile(1)], { joined: joined.slice(2, 5) })).offered(pool, new Set()).length, 12);
});

test("who is unlikely is shown when asked for", () => {
  const unlikely = { ...candidate(5), isUnlikely: true };
  const pool = { candidates: [unlikely, candidate(6)], likeness: ALIKE };
  const work = new Work(card([tile(1)]));
  assert.deepEqual(work.offered(pool, new Set()), [pool.candidates[1]]);
  assert.deepEqual(work.with({ isThorough: true }).offered(pool, new Set()), pool.candidates);
});

test("what is split off takes nobody with it who joined beforehand", () => {
  const [stay, away] = new Work(card([tile(1), tile(2)], { joined: [candidate(5)] })).drop([2], true).split();
  assert.deepEqual(imagesIn(stay.chosen), [1, 5]);
  assert.deepEqual(imagesIn(new Work(away).chosen), [2]);
});
