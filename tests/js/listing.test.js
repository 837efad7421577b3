import assert from "node:assert/strict";
import { test } from "node:test";

import { PAGE, between, listed, namesake, pageOf } from "../../app/components/identity_rows/listing.js";

function person(identity, name, over = {}) {
  return { identity, name, n_images: identity, compactness: 1 / identity, role: "training", flags: [], ...over };
}

const ROWS = [
  person(1, "Red coat"),
  person(2, "ID_002", { role: "validation", flags: [["one_camera", "", ""]] }),
  person(3, "ID_010", { flags: [["outlier", "", ""]] }),
  person(4, "blue hat"),
];
const numbers = (rows) => rows.map(({ identity }) => identity);

test("a name is found by any part of it, in any case", () => {
  assert.deepEqual(numbers(listed(ROWS, { search: " id_0" })), [2, 3]);
  assert.deepEqual(numbers(listed(ROWS, { search: "COAT" })), [1]);
});

test("attention is for contradictions, outliers, shared names and look-alikes, not for one camera", () => {
  assert.deepEqual(numbers(listed(ROWS, { filter: "attention" })), [3]);
  assert.deepEqual(numbers(listed(ROWS, { filter: "attention" }, new Set([4]))), [3, 4]);
  assert.deepEqual(numbers(listed(ROWS, { filter: "one_camera" })), [2]);
  assert.deepEqual(numbers(listed(ROWS, { filter: "validation" })), [2]);
});

test("orders: as made, newest, by name with numbers, by size, by compactness", () => {
  const by = (sort) => numbers(listed(ROWS, { sort }));
  assert.deepEqual(by("made"), [1, 2, 3, 4]);
  assert.deepEqual(by("newest"), [4, 3, 2, 1]);
  assert.deepEqual(by("name"), [4, 2, 3, 1]);
  assert.deepEqual(by("most"), [4, 3, 2, 1]);
  assert.deepEqual(by("loose"), [4, 3, 2, 1]);
  assert.deepEqual(by("fewest"), [1, 2, 3, 4]);
});

test("two that look alike are shown alone, whatever the filter", () => {
  assert.deepEqual(numbers(listed(ROWS, { filter: "validation", only: new Set([1, 3]) })), [1, 3]);
});

test("pages hold so many, and a page that is gone is the last one", () => {
  const many = Array.from({ length: 2 * PAGE + 1 }, (_, n) => person(n + 1, `ID_${n}`));
  assert.deepEqual([pageOf(many, 0).rows.length, pageOf(many, 2).rows.length], [PAGE, 1]);
  assert.equal(pageOf(many, 9).page, 2);
  assert.deepEqual(pageOf([], 3), { rows: [], page: 0, nPages: 1 });
});

test("shift selects what lies between, upwards and downwards; a row that is gone counts for nothing", () => {
  assert.deepEqual(between(ROWS, 4, 2), [2, 3, 4]);
  assert.deepEqual(between(ROWS, 1, 2), [1, 2]);
  assert.deepEqual(between(ROWS, null, 3), [3]);
  assert.deepEqual(between(ROWS, 99, 3), [3]);
});

test("a name that somebody has is told, in any case and with spaces around it, but not one's own", () => {
  assert.equal(namesake(ROWS, 4, " red COAT ")?.identity, 1);
  assert.equal(namesake(ROWS, 1, "red coat"), undefined);
  assert.equal(namesake(ROWS, 1, ""), undefined);
});
