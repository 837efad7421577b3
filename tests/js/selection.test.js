import assert from "node:assert/strict";
import { test } from "node:test";

import { Selection } from "../../app/components/map/selection.js";
import { isInside, parseArrays } from "../../app/components/map/geometry.js";

// Three clusters. Images 0, 3 and 5 are centers; cluster 2 is a center alone.
const LAYOUT = {
  n: 6,
  similarities: Float32Array.of(1, 0.9, 0.5, 1, 0.7, 1),
  clusters: Int32Array.of(0, 0, 0, 1, 1, 2),
  centers: Int32Array.of(0, 3, 5),
  isCenter: Uint8Array.of(1, 0, 0, 1, 0, 1),
};

test("an image is reliable above λ, a center always", () => {
  const selection = new Selection(LAYOUT);
  const counts = [0.4, 0.5, 0.69, 0.7, 0.9, 1].map((lambda) => selection.nReliable(lambda));
  assert.deepEqual(counts, [6, 5, 5, 4, 3, 3]); // above, not at: 0.5 and 0.7 leave their own image out
});

test("λ 0 selects all", () => {
  assert.equal(new Selection(LAYOUT).nReliable(0), 6);
});

test("a cluster is kept while somebody beside its center is reliable", () => {
  const selection = new Selection(LAYOUT);
  assert.deepEqual(
    [0, 0.5, 0.7, 0.9].map((lambda) => selection.nKept(lambda)),
    [2, 2, 1, 0],
  );
});

test("λ is compared as the cosines are, in 32 bits", () => {
  const similarities = Float32Array.of(1, 0.85);
  const layout = { ...LAYOUT, n: 2, similarities, clusters: Int32Array.of(0, 0), centers: Int32Array.of(0) };
  assert.equal(new Selection({ ...layout, isCenter: Uint8Array.of(1, 0) }).nReliable(0.85), 1);
});

test("no images have no share", () => {
  const empty = { n: 0, similarities: new Float32Array(), clusters: new Int32Array(), centers: new Int32Array() };
  assert.equal(new Selection({ ...empty, isCenter: new Uint8Array() }).share(0.5), 0);
});

test("bins hold every image but the centers, those beyond 0 and 1 at the ends", () => {
  const similarities = Float32Array.of(1, -0.3, 0.019, 0.999);
  const layout = { n: 4, similarities, clusters: Int32Array.of(0, 0, 0, 0), centers: Int32Array.of(0) };
  const { bins } = new Selection({ ...layout, isCenter: Uint8Array.of(1, 0, 0, 0) });
  assert.deepEqual([bins[0], bins.at(-1), bins.reduce((sum, n) => sum + n)], [2, 1, 3]);
});

const U = [
  [0, 0],
  [6, 0],
  [6, 6],
  [4, 6],
  [4, 2],
  [2, 2],
  [2, 6],
  [0, 6],
]; // a lasso in the shape of a U

test("a lasso holds what is inside its outline, not what lies in its mouth", () => {
  assert.equal(isInside(1, 5, U), true);
  assert.equal(isInside(5, 5, U), true);
  assert.equal(isInside(3, 1, U), true);
  assert.equal(isInside(3, 4, U), false);
  assert.equal(isInside(7, 1, U), false);
});

test("a line that crosses itself holds what it goes around once", () => {
  const bow = [
    [0, 0],
    [4, 4],
    [4, 0],
    [0, 4],
  ];
  assert.equal(isInside(0.5, 2, bow), true);
  assert.equal(isInside(2, 0.5, bow), false);
});

test("arrays are read from the bytes that the server sends", () => {
  const fields = [
    { name: "points", dtype: "float32", offset: 0, length: 2 },
    { name: "clusters", dtype: "int32", offset: 0, length: 1 },
    { name: "isCenter", dtype: "uint8", offset: 0, length: 3 },
  ];
  let head = JSON.stringify(fields);
  for (let round = 0; round < 3; round += 1) {
    const start = Math.ceil((4 + head.length) / 4) * 4;
    [fields[0].offset, fields[1].offset, fields[2].offset] = [start, start + 8, start + 12];
    head = JSON.stringify(fields);
  }
  const bytes = new ArrayBuffer(fields[2].offset + 3);
  new DataView(bytes).setUint32(0, head.length, true);
  new Uint8Array(bytes).set(new TextEncoder().encode(head), 4);
  new Float32Array(bytes, fields[0].offset, 2).set([0.5, -2]);
  new Int32Array(bytes, fields[1].offset, 1).set([7]);
  new Uint8Array(bytes, fields[2].offset, 3).set([1, 0, 1]);
  const arrays = parseArrays(bytes);
  assert.deepEqual([...arrays.points, ...arrays.clusters, ...arrays.isCenter], [0.5, -2, 7, 1, 0, 1]);
});
