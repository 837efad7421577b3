import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts, isTouched } from "../../app/components/card/drafts.js";
import { Work } from "../../app/components/card/work.js";
import { candidate, card, tile } from "./cards.js";

class Memory {
  constructor() {
    Object.defineProperty(this, "getItem", { value: (key) => this[key] ?? null });
    Object.defineProperty(this, "setItem", { value: (key, value) => (this[key] = value) });
    Object.defineProperty(this, "removeItem", { value: (key) => delete this[key] });
  }
}

function open(places, author = "ann") {
  const drafts = new Drafts("shop", author, places);
  drafts.dispose(); // no beat in a test
  return drafts;
}

const untouched = () => new Work(card([tile(1), tile(2), tile(3, { isChosen: false })]));

test("a card that nobody has touched is no draft, and one that was changed back is none either", () => {
  const work = untouched();
  assert.equal(isTouched(work), false);
  const changed = work.drop([2], true);
  assert.equal(isTouched(changed), true);
  assert.equal(isTouched(changed.drop([2], false)), false);
  assert.equal(isTouched(work.drop([3], false)), true);
  assert.equal(isTouched(work.join(candidate(9), [])), true);
});

test("what was begun is there after a reload, without addresses of pictures", () => {
  const places = { local: new Memory(), session: new Memory(), now: () => 0 };
  const work = untouched().drop([2], true).join(candidate(7, 8), []).reject(candidate(9), []);
  open(places).keep([work, untouched()]);
  const expected = { tiles: [1, 2, 3], loose: [3], dropped: [3, 2], accepted: [[7, 8]], rejected: [[9]] };
  assert.deepEqual(open(places).found(), [{ id: "c1", reason: "", ...expected }]);
  assert.ok(!JSON.stringify(places.local).includes("t1"));
});

test("what is committed is dropped", () => {
  const places = { local: new Memory(), session: new Memory(), now: () => 0 };
  const drafts = open(places);
  drafts.keep([untouched().drop([1], true)]);
  drafts.keep([untouched()]);
  assert.deepEqual(Object.keys(places.local), []);
});

test("another author or another workspace sees nothing of it", () => {
  const places = { local: new Memory(), session: new Memory(), now: () => 0 };
  open(places).keep([untouched().drop([1], true)]);
  assert.deepEqual(open(places, "bob").found(), []);
  assert.equal(open(places).found().length, 1);
});

test("a page that is open keeps its drafts; a closed one leaves them to the next", () => {
  const local = new Memory();
  open({ local, session: new Memory(), now: () => 0 }).keep([untouched().drop([1], true)]);
  assert.deepEqual(open({ local, session: new Memory(), now: () => 5000 }).found(), []);
  const next = { local, session: new Memory(), now: () => 60_000 };
  assert.equal(open(next).found().length, 1);
  assert.equal(open(next).found().length, 1); // now it is its own
});

test("a browser with damaged drafts, or none to keep them in, works", () => {
  const local = new Memory();
  local["pul:drafts:shop:ann:x"] = "{";
  local["pul:drafts:shop:ann:y"] = JSON.stringify({ at: 0, works: [null, 3, { id: 4 }] });
  assert.deepEqual(open({ local, session: new Memory(), now: () => 1e9 }).found(), []);
  open({ local: undefined, session: undefined }).keep([untouched().drop([1], true)]);
});
