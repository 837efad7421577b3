import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Outbox } from "../../app/components/shared_js/outbox.js";

class Storage {
  getItem(key) {
    return Object.hasOwn(this, key) ? this[key] : null;
  }
  setItem(key, value) {
    this[key] = String(value);
  }
  removeItem(key) {
    delete this[key];
  }
}

let sent;
let now;

beforeEach(() => {
  sent = [];
  now = 0;
  mock.timers.enable({ apis: ["setInterval"] });
  mock.method(performance, "now", () => now);
  Object.defineProperty(globalThis, "localStorage", { value: new Storage(), configurable: true });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function connected(workspace = "w") {
  const outbox = new Outbox(workspace, () => {});
  outbox.connect((name, value) => sent.push(structuredClone(value.commits)), "Ann");
  return outbox;
}

function wait(ms) {
  for (let left = ms; left > 0; left -= 1000) {
    now += 1000;
    mock.timers.tick(1000);
  }
}

const kinds = (commits) => commits.map(({ kind }) => kind);

test("acts are sent in order, each time with all that are not yet stored", () => {
  const outbox = connected();
  outbox.put({ kind: "create" });
  outbox.put({ kind: "skip" });
  assert.deepEqual(sent.map(kinds), [[], ["create"], ["create", "skip"]]);
});

test("every act has a token of its own", () => {
  const outbox = connected();
  const tokens = Array.from({ length: 50 }, () => outbox.put({ kind: "skip" }));
  assert.equal(new Set([...tokens, ...connected().commits.map(({ token }) => token)]).size, 50);
});

test("what the server has stored is not sent again, and is gone from the browser's storage", () => {
  const outbox = connected();
  const first = outbox.put({ kind: "create" });
  outbox.put({ kind: "skip" });
  outbox.acknowledge([first]);
  assert.deepEqual(kinds(outbox.commits), ["skip"]);
  assert.deepEqual(kinds(new Outbox("w", () => {}).commits), ["skip"]);
});

test("a page that is loaded again sends what the closed one left behind", () => {
  connected().put({ kind: "create", images: [3] });
  sent = [];
  connected();
  assert.deepEqual(sent, [[{ token: sent[0][0].token, kind: "create", images: [3] }]]);
});

test("damaged storage holds nothing up: what is no act is left out, and goes at the next answer", () => {
  const good = { token: "a-1", kind: "create" };
  const odd = [null, 7, { kind: "x" }, { token: 7, kind: "x" }, { token: "a\0b", kind: "x" }, { token: "b-1" }];
  const long = { token: "t".repeat(2_000_000), kind: "create" };
  localStorage.setItem("pul:outbox:w:1", JSON.stringify([...odd, good, long]));
  localStorage.setItem("pul:outbox:w:2", "[{");
  localStorage.setItem("pul:outbox:w:3", '{"length": 2}');
  const outbox = connected();
  const next = outbox.put({ kind: "skip" });
  assert.deepEqual(kinds(outbox.commits), ["create", "skip"]);
  outbox.acknowledge(["a-1", next]);
  assert.deepEqual(Object.keys(localStorage), ["pul:name"]);
});

test("what is sent names nobody: the server knows who is here", () => {
  const messages = [];
  const outbox = new Outbox("w", () => {});
  outbox.connect((name, value) => messages.push(value), "Ann");
  outbox.put({ kind: "skip" });
  assert.deepEqual(Object.keys(messages[0]), ["name", "commits", "sent"]);
  assert.match(outbox.commits[0].token, /^[\w.:-]{1,200}$/);
});

test("another workspace's acts stay where they are", () => {
  connected("one").put({ kind: "create" });
  assert.deepEqual(connected("two").commits, []);
  assert.equal(connected("one").commits.length, 1);
});

test("a server that does not answer is asked again after 4, 8, 16, ... seconds", () => {
  const outbox = connected();
  outbox.put({ kind: "create" });
  const times = [];
  let known = sent.length;
  for (let second = 1; second <= 40; second += 1) {
    wait(1000);
    if (sent.length > known) times.push(second);
    known = sent.length;
  }
  assert.deepEqual(times, [5, 14, 31]); // the first look after 4, 8 and 16 seconds
});

test("after an answer the waiting is short again", () => {
  const outbox = connected();
  const first = outbox.put({ kind: "create" });
  wait(20_000);
  outbox.acknowledge([first]);
  outbox.put({ kind: "skip" });
  const before = sent.length;
  wait(5000);
  assert.equal(sent.length, before + 1);
});

test("a browser without storage still sends", () => {
  Object.defineProperty(globalThis, "localStorage", {
    get() {
      throw new Error("SecurityError");
    },
    configurable: true,
  });
  const outbox = connected();
  outbox.put({ kind: "create" });
  assert.deepEqual(kinds(sent.at(-1)), ["create"]);
});

test("it is late once the server has had two seconds", () => {
  const outbox = connected();
  outbox.put({ kind: "create" });
  assert.equal(outbox.isLate, false);
  now += 2001;
  assert.equal(outbox.isLate, true);
});

test("news: what was told at first is old, and nothing is told twice", () => {
  const outbox = new Outbox("shop", () => {});
  const outcomes = [{ token: "a" }, { token: "b" }];
  assert.deepEqual(outbox.news([outcomes[0]]), []);
  assert.deepEqual(outbox.news(outcomes), [outcomes[1]]);
  assert.deepEqual(outbox.news(outcomes), []);
});
