import assert from "node:assert/strict";
import { test } from "node:test";

import { actOfTwoPeople, actsOfPerson, personText } from "../../app/components/clusters/acts.js";
import {
  camerasOf,
  doubtShares,
  facesOf,
  isReliableAt,
  labelsOf,
  membersOf,
  nReliableOf,
  sizeOf,
  straysOf,
  summarize,
  tokenOf,
} from "../../app/components/clusters/summaries.js";
import {
  countChips,
  FIRST,
  readView,
  selectClusters,
  selectImages,
  toggleChip,
  writeView,
} from "../../app/components/clusters/view.js";
import { columnsOf, placeAfter, placesInSight } from "../../app/components/clusters/windowing.js";
import {
  afterJudging,
  drop,
  joinParts,
  keptOf,
  openedOf,
  splitOff,
  swapParts,
} from "../../app/components/clusters/work.js";

// Cluster 0: images 1 (center), 0, 4 by cameras 0, 0, 1. Cluster 1: 2 (center), 3, both camera 1. Cluster 2: 5, alone, of
// an unknown camera. Image 6 is an outlier.
const LAYOUT = {
  n: 7,
  clusters: Int32Array.of(0, 0, 1, 1, 0, 2, -1),
  centers: Int32Array.of(1, 2, 5),
  isCenter: Uint8Array.of(0, 1, 1, 0, 0, 1, 0),
  similarities: Float32Array.of(0.7, 1, 1, 0.95, 0.9, 1, -1),
  cameras: Int32Array.of(0, 0, 1, 1, 1, -1, 0),
  points: new Float32Array(14),
  images: Int32Array.of(10, 11, 12, 13, 14, 15, 16),
  tokens: Uint8Array.from("a0b1c2d3e4f5g6", (letter) => letter.charCodeAt(0)),
};
const DOUBTS = Float32Array.of(0.1, -0.5, -0.4, -0.3, -0.2, -0.6, 0);

function knownOf(changes = {}) {
  const summaries = summarize(LAYOUT);
  return {
    layout: LAYOUT,
    summaries,
    doubts: DOUBTS,
    doubtShares: doubtShares(summaries, DOUBTS),
    purities: Float32Array.of(0.5, 1, NaN),
    owners: Int32Array.of(7, 0, 0, 0, 0, 0, 0),
    nLabelled: Int32Array.of(1, 0, 0),
    cameraNames: [3, 8],
    lambda: 0.8,
    within: null,
    ...changes,
  };
}

const shown = (changes, known = knownOf()) => [...selectClusters(known, { ...FIRST, ...changes })];
const images = (changes, known = knownOf()) => [...selectImages(known, { ...FIRST, kind: "images", ...changes })];

test("a cluster is its center, then its images by falling cosine; an outlier is in none", () => {
  const summaries = summarize(LAYOUT);
  assert.deepEqual(
    [0, 1, 2].map((cluster) => [...membersOf(summaries, cluster)]),
    [[1, 4, 0], [2, 3], [5]],
  );
  assert.deepEqual(
    [0, 1, 2].map((cluster) => sizeOf(summaries, cluster)),
    [3, 2, 1],
  );
});

test("cohesion is the mean cosine of those beside the center: (0.9 + 0.7) / 2, 0.95, and 1 for a center alone", () => {
  const { cohesions } = summarize(LAYOUT);
  assert.deepEqual(
    [...cohesions].map((cosine) => cosine.toFixed(3)),
    ["0.800", "0.950", "1.000"],
  );
});

test("cameras are counted once each; unknown ones are none", () => {
  const summaries = summarize(LAYOUT);
  assert.deepEqual([...summaries.nCameras], [2, 1, 0]);
  assert.deepEqual(camerasOf(summaries, 0), [0, 1]);
  assert.deepEqual(camerasOf(summaries, 2), []);
});

test("more cameras than bits in a word", () => {
  const cameras = Int32Array.of(0, 31, 32, 40, 33, 31, 64);
  const summaries = summarize({ ...LAYOUT, cameras });
  assert.deepEqual(camerasOf(summaries, 0), [0, 31, 33]);
  assert.deepEqual(camerasOf(summaries, 1), [32, 40]);
});

test("no camera is known at all", () => {
  const summaries = summarize({ ...LAYOUT, cameras: new Int32Array(7).fill(-1) });
  assert.deepEqual([...summaries.nCameras], [0, 0, 0]);
});

test("faces are the center, the nearest, and the two farthest", () => {
  assert.deepEqual(facesOf(Int32Array.of(9, 8, 7)), [9, 8, 7]);
  assert.deepEqual(facesOf(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8)), [0, 1, 2, 3, 7, 8]);
});

test("above λ, not at it; a center always; λ 0 takes all but outliers", () => {
  const at = { ...LAYOUT, similarities: Float32Array.of(0.85, 0, 1, 0.86, 0.9, 1, -1) };
  assert.deepEqual(
    [0, 1, 3, 6].map((image) => isReliableAt(at, image, 0.85)),
    [false, true, true, false],
  );
  assert.deepEqual(
    [0, 6].map((image) => isReliableAt(at, image, 0)),
    [true, false],
  );
});

test("reliable images are counted as by going through them all", () => {
  const summaries = summarize(LAYOUT);
  for (const lambda of [0, 0.5, 0.7, 0.8, 0.9, 0.95, 1])
    for (const cluster of [0, 1, 2]) {
      const members = membersOf(summaries, cluster);
      const all = [...members].filter((image) => isReliableAt(LAYOUT, image, lambda)).length;
      assert.equal(nReliableOf(LAYOUT, members, lambda), all);
    }
});

test("a stray is as near to another center, or far below the others", () => {
  const cosines = [1, 0.9, 0.9, 0.89, 0.91, 0.4];
  const layout = { similarities: Float32Array.from(cosines), isCenter: Uint8Array.of(1, 0, 0, 0, 0, 0) };
  const members = Int32Array.of(0, 1, 2, 3, 4, 5);
  assert.deepEqual([...straysOf(layout, members, null)], [5]);
  const doubts = Float32Array.of(0.2, -0.1, 0, -0.1, -0.1, -0.1);
  assert.deepEqual([...straysOf(layout, members, doubts)], [2, 5]); // a center is no stray of its own
  assert.deepEqual([...straysOf(layout, members.subarray(0, 1), doubts)], []);
});

test("a cluster is of the identity with most of its images; of equal ones the older", () => {
  const owners = Int32Array.of(5, 4, 4, -1, 0, 9);
  assert.deepEqual(labelsOf(Int32Array.of(0, 1, 2, 3, 4), owners), {
    nLabelled: 3,
    identity: 4,
    nIdentities: 2,
    nOfIdentity: 2,
  });
  assert.equal(labelsOf(Int32Array.of(0, 1), owners).identity, 4);
  assert.equal(labelsOf(Int32Array.of(3, 4), owners).identity, 0);
});

test("tokens are cut at their common length", () => {
  assert.equal(tokenOf(LAYOUT, 2), "c2");
});

test("sorts, by hand", () => {
  assert.deepEqual(shown({ sort: "doubt" }), [0, 1, 2]); // 1/3, 0, 0; the larger of equal ones first
  assert.deepEqual(shown({ sort: "small" }), [2, 1, 0]);
  assert.deepEqual(shown({ sort: "cohesion" }), [0, 1, 2]);
  assert.deepEqual(shown({ sort: "purity" }), [0, 1, 2]); // unknown last
  assert.deepEqual(shown({ sort: "cameras" }), [0, 1, 2]);
  assert.deepEqual(shown({ sort: "lambda" }, knownOf({ lambda: 0.94 })), [1, 2, 0]); // 0.01, 0.06, 0.14
});

test("filters, by hand", () => {
  assert.deepEqual(shown({ chips: ["doubt"] }), [0]);
  assert.deepEqual(shown({ chips: ["one"] }), [1]);
  assert.deepEqual(shown({ chips: ["labelled"] }), [0]);
  assert.deepEqual(shown({ chips: ["unlabelled"] }), [1, 2]);
  assert.deepEqual(shown({ chips: ["lost"] }), [2]); // a center alone; the others keep two above 0.8
  assert.deepEqual(shown({ chips: ["lost"] }, knownOf({ lambda: 0.96 })), [0, 1, 2]);
  assert.deepEqual(shown({ camera: 8 }), [0, 1]);
  assert.deepEqual(shown({ camera: 5 }), []); // there is no such camera
  assert.deepEqual(shown({ least: 2, most: 2 }), [1]);
  assert.deepEqual(shown({}, knownOf({ within: new Set([3, 6]) })), [1]);
});

test("chips say how many clusters they would show", () => {
  const counts = { doubt: 1, one: 1, lost: 1, labelled: 1, unlabelled: 2 };
  assert.deepEqual(countChips(knownOf(), "clusters"), counts);
});

test("or how many images", () => {
  const counts = { doubt: 1, one: 2, lost: 1, labelled: 1, unlabelled: 5 };
  assert.deepEqual(countChips(knownOf(), "images"), counts);
  for (const [name, n] of Object.entries(counts)) assert.equal(images({ chips: [name] }).length, n);
});

test("doubt that is not measured yet hides nothing and sorts nothing", () => {
  const known = knownOf({ doubts: null, doubtShares: null });
  assert.deepEqual(shown({}, known), [0, 1, 2]);
  assert.deepEqual(countChips(known, "clusters").doubt, 0);
  assert.deepEqual(images({}, known), [1, 4, 0, 2, 3, 5]);
});

test("images are filtered each by itself", () => {
  assert.deepEqual(images({ sort: "doubt" }), [0, 4, 3, 2, 1, 5]);
  assert.deepEqual(images({ sort: "size" }), [1, 4, 0, 2, 3, 5]); // by cluster, then from the center outwards
  assert.deepEqual(images({ sort: "cohesion", chips: ["lost"] }), [0]);
  assert.deepEqual(images({ sort: "size", camera: 3 }), [1, 0]);
  assert.deepEqual(images({ sort: "size", chips: ["labelled"] }), [0]);
  assert.deepEqual(images({ sort: "lambda" }, knownOf({ lambda: 0.91 })).slice(0, 2), [4, 3]);
  assert.deepEqual(images({ sort: "size" }, knownOf({ within: new Set([3, 0]) })), [0, 3]);
});

test("5,000 clusters of 50,000 images are counted, sorted and filtered in a fraction of a second", () => {
  const [n, k] = [50_000, 5_000];
  const clusters = Int32Array.from({ length: n }, (_, image) => image % k);
  const layout = {
    ...LAYOUT,
    n,
    clusters,
    centers: Int32Array.from({ length: k }, (_, cluster) => cluster),
    isCenter: Uint8Array.from({ length: n }, (_, image) => Number(image < k)),
    similarities: Float32Array.from({ length: n }, (_, image) => ((image * 7919) % 1000) / 1000),
    cameras: Int32Array.from({ length: n }, (_, image) => image % 6),
  };
  const started = performance.now();
  const summaries = summarize(layout);
  const doubts = new Float32Array(n).fill(-0.1);
  const known = knownOf({ layout, summaries, doubts, doubtShares: doubtShares(summaries, doubts), purities: null });
  known.nLabelled = new Int32Array(k);
  known.owners = new Int32Array(n);
  assert.equal(selectClusters(known, { ...FIRST, sort: "cohesion" }).length, k);
  assert.equal(selectImages(known, { ...FIRST, sort: "size" }).length, n);
  assert.ok(performance.now() - started < 3000); // 0.1 s on an idle machine
});

test("an address gives the view that wrote it", () => {
  const view = {
    kind: /** @type {const} */ ("images"),
    sort: "lambda",
    chips: ["doubt", "labelled"],
    camera: 3,
    least: 2,
    most: null,
    lambda: 0.85,
    open: 14,
    like: 12,
  };
  assert.deepEqual(readView(writeView(view)), view);
  assert.deepEqual(writeView(FIRST), {});
  assert.deepEqual(readView({}), FIRST);
});

test("what makes no sense in an address is left out", () => {
  const query = { view: "x", sort: "toString", show: "labelled nonsense unlabelled labelled", camera: "-1" };
  assert.deepEqual(readView({ ...query, size: "x-4", lambda: "7", open: "1e3", like: "" }), {
    ...FIRST,
    chips: ["labelled"],
    most: 4,
  });
});

test("labelled and not labelled exclude each other", () => {
  assert.deepEqual(toggleChip(["doubt", "labelled"], "unlabelled"), ["doubt", "unlabelled"]);
  assert.deepEqual(toggleChip(["doubt", "labelled"], "labelled"), ["doubt"]);
});

test("columns share the width", () => {
  assert.deepEqual(
    [100, 457, 458, 1000].map((width) => columnsOf(width, 224, 10)),
    [1, 1, 2, 4],
  );
});

test("only rows in sight and a few beside them exist", () => {
  const at = { height: 500, rowHeight: 100, columns: 3, n: 1000, spare: 1 };
  assert.deepEqual(placesInSight({ ...at, top: 0 }), [0, 18]);
  assert.deepEqual(placesInSight({ ...at, top: 1050 }), [27, 51]);
  assert.deepEqual(placesInSight({ ...at, top: 1e6 }), [1000, 1000]);
  assert.deepEqual(placesInSight({ ...at, top: 0, n: 0 }), [0, 0]);
});

test("keys lead through the grid and stay in it", () => {
  const at = { n: 10, columns: 4, rowsInSight: 2 }; // rows of 4, 4 and 2
  const go = (key, place) => placeAfter(key, { ...at, place });
  assert.deepEqual([go("ArrowRight", 3), go("ArrowLeft", 0), go("ArrowRight", 9)], [4, 0, 9]);
  assert.deepEqual([go("ArrowDown", 1), go("ArrowDown", 7), go("ArrowDown", 9), go("ArrowUp", 2)], [5, 9, 9, 2]);
  assert.deepEqual(
    [go("Home", 7), go("End", 0), go("PageDown", 0), go("PageDown", 8), go("PageUp", 2)],
    [0, 9, 4, 9, 0],
  );
  assert.equal(go("x", 0), null);
});

const owners = new Map([
  [1, 0],
  [2, 0],
  [3, 70],
  [4, 80],
  [5, -1],
]);
const counted = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;

test("what nobody labelled becomes a new person, without what was dropped", () => {
  const judged = { kept: [1, 5], dropped: [2], owners };
  assert.deepEqual(actsOfPerson(judged), [{ kind: "create", images: [1, 5], dropped: [2] }]);
  assert.deepEqual(actsOfPerson(judged, { name: "Ann" }), [
    { kind: "create", images: [1, 5], dropped: [2], name: "Ann" },
  ]);
  assert.equal(
    personText(judged, () => "", counted),
    "One person: 2 images",
  );
});

test("the rest of a cluster joins the person who is in it", () => {
  const judged = { kept: [1, 3], dropped: [2], owners };
  assert.deepEqual(actsOfPerson(judged), [{ kind: "add", identity: 70, images: [1], dropped: [2] }]);
  assert.equal(
    personText(judged, (n) => `P${n}`, counted),
    "Add 1 image to P70",
  );
});

test("nothing to do, and nobody left", () => {
  assert.deepEqual(actsOfPerson({ kept: [3], dropped: [], owners }), []);
  assert.deepEqual(actsOfPerson({ kept: [], dropped: [1], owners }), []);
});

test("two people who are one are merged, the older name stays", () => {
  const judged = { kept: [1, 3, 4], dropped: [], owners };
  assert.deepEqual(actsOfPerson(judged), [
    { kind: "merge", identities: [70, 80] },
    { kind: "add", identity: 70, images: [1], dropped: [] },
  ]);
  assert.equal(
    personText(judged, (n) => `P${n}`, counted),
    "Merge P70 and P80, add 1",
  );
});

test("a labelled image that was dropped is taken out of its person", () => {
  const judged = { kept: [1, 3], dropped: [6], owners: new Map([...owners, [6, 70]]) };
  assert.deepEqual(actsOfPerson(judged), [
    { kind: "remove", identity: 70, images: [6] },
    { kind: "add", identity: 70, images: [1], dropped: [] },
  ]);
});

test("a new name for who is known is a rename; the choice of another is that one's", () => {
  assert.deepEqual(actsOfPerson({ kept: [3], dropped: [], owners }, { name: "Bo" }), [
    { kind: "rename", identity: 70, name: "Bo" },
  ]);
  assert.deepEqual(actsOfPerson({ kept: [1], dropped: [], owners }, { identity: 90 }), [
    { kind: "add", identity: 90, images: [1], dropped: [] },
  ]);
});

test("two groups are two people", () => {
  assert.deepEqual(actOfTwoPeople([1], [2, 3]), {
    kind: "pair",
    question: { left: { images: [1] }, right: { images: [2, 3] } },
    answer: "different",
  });
});

test("an opened cluster: drop, take back, split, swap, join", () => {
  const opened = openedOf([4], [1, 2, 3, 5]);
  const without = drop(opened, [2, 3], true);
  assert.deepEqual(keptOf(without), [1, 5]);
  assert.deepEqual(keptOf(drop(without, [3], false)), [1, 3, 5]);
  const parts = splitOff(without, [3, 5, 9]);
  assert.deepEqual([parts.images, [...parts.dropped], parts.away], [[1, 2], [2], [3, 5]]);
  assert.deepEqual(
    [swapParts(parts).images, swapParts(parts).away],
    [
      [3, 5],
      [1, 2],
    ],
  );
  assert.deepEqual(joinParts(parts).images, [1, 2, 3, 5]);
  assert.deepEqual([afterJudging(parts).images, afterJudging(parts).away], [[3, 5], []]);
  assert.deepEqual([afterJudging(without).images, afterJudging(without).dropped.size], [[1, 5], 0]);
  assert.equal(splitOff(opened, [1, 2, 3, 5]), null);
  assert.equal(splitOff(opened, []), null);
});
