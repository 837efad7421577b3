import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange, walksOf } from "../../app/components/card/tiles.js";
import { candidate, imagesIn, likeness, tile } from "./cards.js";

test("tiles are grouped by camera as they come, the loose ones apart, last what was joined", () => {
  const tiles = [
    tile(1, { camera: 1 }),
    tile(2, { camera: 1 }),
    tile(3, { camera: 4 }),
    tile(4, { camera: 4, isChosen: false }),
    tile(5, { camera: 1, isChosen: false }),
  ];
  const groups = arrange(tiles, [candidate(8, 9), candidate(7)]);
  assert.deepEqual(
    groups.map(({ camera, isLoose, accepted, tiles: own }) => [
      camera,
      isLoose ?? null,
      accepted ?? null,
      imagesIn(own),
    ]),
    [
      [1, false, null, [1, 2]],
      [4, false, null, [3]],
      [4, true, null, [4]],
      [1, true, null, [5]],
      [null, null, 1, [8, 9]],
      [null, null, 2, [7]],
    ],
  );
});

test("a camera that comes again is a group of its own: the order is the server's", () => {
  const groups = arrange([tile(1, { camera: 1 }), tile(2, { camera: 2 }), tile(3, { camera: 1 })], []);
  assert.deepEqual(
    groups.map(({ tiles }) => imagesIn(tiles)),
    [[1], [2], [3]],
  );
});

test("a tracklet is one walk, cut after eight tiles", () => {
  const tiles = [...Array.from({ length: 10 }, (_, n) => tile(n, { tracklet: 1 })), tile(20, { tracklet: 2 })];
  assert.deepEqual(walksOf(tiles).map(imagesIn), [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9], [20]]);
});

test("no tiles, no walks", () => {
  assert.deepEqual([arrange([], []), walksOf([])], [[], []]);
});

test("likeness to a person is half the mean of all and half the best, of a candidate's best tracklet", () => {
  const alike = likeness(
    [1, 2, 8, 9],
    [
      [99, 0, 40, 10],
      [0, 99, 20, 10],
      [40, 20, 99, 0],
      [10, 10, 0, 99],
    ],
  );
  assert.equal(alike.toPerson(candidate(8, 9), [1, 2]), (30 + 40) / 2); // 9 alone would have 10
  assert.equal(alike.toPerson(candidate(8), [1, 77]), 40); // whom it does not know counts for nothing
  assert.equal(alike.toPerson(candidate(8), [77]), 0);
});

test("two halves are around the two members that are least alike, the larger first", () => {
  const alike = likeness(
    [1, 2, 3, 4],
    [
      [99, 80, 70, 5],
      [80, 99, 75, 10],
      [70, 75, 99, 20],
      [5, 10, 20, 99],
    ],
  );
  assert.deepEqual(alike.halve([1, 2, 3, 4]), [[1, 2, 3], [4]]);
  assert.deepEqual(alike.halve([1]), [[1], []]);
});
