import assert from "node:assert/strict";
import { test } from "node:test";

import { choicesFor } from "../../app/components/shared_js/name_field.js";

const KNOWN = [
  { identity: 1, name: "Ann", n: 3 },
  { identity: 2, name: "Anna", n: 4 },
  { identity: 3, name: "Bo", n: 5 },
];

test("names: those who look most alike first, a new one last, no second of one name", () => {
  const names = (typed, nearest = []) => choicesFor(KNOWN, nearest, typed, true).map(({ name }) => name);
  assert.deepEqual(names("", [[3, 0.9]]), ["Bo", "Ann", "Anna"]);
  assert.deepEqual(names("", [[2], [1]]), ["Anna", "Ann", "Bo"]);
  assert.deepEqual(names("an"), ["Ann", "Anna", "an"]);
  assert.deepEqual(names(" ANN "), ["Ann", "Anna"]);
  assert.deepEqual(choicesFor(KNOWN, [], "Zoe", true), [{ name: "Zoe", n: 0 }]);
});

test("names: nobody new where only known people can be chosen, and at most twelve", () => {
  assert.deepEqual(choicesFor(KNOWN, [], "Zoe", false), []);
  const many = Array.from({ length: 20 }, (_, n) => ({ identity: n, name: `ID_${n}`, n: 1 }));
  assert.equal(choicesFor(many, [], "", false).length, 12);
  assert.deepEqual(choicesFor(many, [[15, 0.5]], "id", false)[0], { ...many[15], cosine: 0.5 });
});
