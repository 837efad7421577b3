// What the grid shows: sort and filters as a value, in the address and applied to clusters or images.
import { hasCamera, isDoubtful, isReliableAt, membersOf, nReliableOf, sizeOf } from "./summaries.js";

/** Share of doubtful images from which a cluster is in doubt. */
export const IN_DOUBT = 0.25;
export const SORTS = {
  doubt: "most doubt",
  size: "largest",
  small: "smallest",
  cohesion: "least cohesive",
  purity: "least pure",
  cameras: "most cameras",
  lambda: "closest to λ",
};
export const CHIPS = {
  doubt: "in doubt",
  one: "one camera only",
  lost: "lost at λ",
  unlabelled: "not labelled",
  labelled: "labelled",
};
const OPPOSITE = { labelled: "unlabelled", unlabelled: "labelled" };

/**
 * @typedef {import("./summaries.js").Summaries} Summaries
 * @typedef {import("../shared_js/types").Layout} Layout
 * @typedef {object} View
 * @property {"clusters" | "images"} kind
 * @property {string} sort
 * @property {string[]} chips
 * @property {number | null} camera As the dataset numbers it.
 * @property {number | null} least Images of a cluster, at least.
 * @property {number | null} most
 * @property {number | null} lambda Null for that of the iteration.
 * @property {number | null} open Image id of a picture in the opened cluster.
 * @property {number | null} like Image id of the picture whose like are listed.
 *
 * @typedef {object} Known What the browser knows of the iteration.
 * @property {Layout} layout
 * @property {Summaries} summaries
 * @property {Float32Array | null} doubts Of each image.
 * @property {Float32Array | null} doubtShares Of each cluster.
 * @property {Float32Array | null} purities Of each cluster.
 * @property {Int32Array} owners Of each image.
 * @property {Int32Array} nLabelled Of each cluster.
 * @property {readonly number[]} cameraNames
 * @property {number} lambda
 * @property {Set<number> | null} within Images inside the lasso; null for no lasso.
 */

/** @type {View} */
export const FIRST = {
  kind: "clusters",
  sort: "doubt",
  chips: [],
  camera: null,
  least: null,
  most: null,
  lambda: null,
  open: null,
  like: null,
};

/**
 * Read a view from the parameters of an address; what makes no sense there is left out.
 * @param {Record<string, string>} query
 * @returns {View}
 */
export function readView(query) {
  const [least, most] = (query.size ?? "").split("-");
  const chips = (query.show ?? "").split(" ").filter((name) => Object.hasOwn(CHIPS, name));
  const lambda = query.lambda === undefined || query.lambda === "" ? NaN : Number(query.lambda);
  return {
    kind: query.view === "images" ? "images" : "clusters",
    sort: Object.hasOwn(SORTS, query.sort ?? "") ? query.sort : FIRST.sort,
    chips: chips.filter(
      (name, place) => chips.indexOf(name) === place && !chips.slice(0, place).includes(OPPOSITE[name]),
    ),
    camera: whole(query.camera),
    least: whole(least),
    most: whole(most),
    lambda: lambda >= 0 && lambda <= 1 ? lambda : null,
    open: whole(query.open),
    like: whole(query.like),
  };
}

function whole(text) {
  return /^\d{1,9}$/.test(text ?? "") ? Number(text) : null;
}

/**
 * The parameters of the address that stand for a view; what is as at first is left out.
 * @param {View} view
 * @returns {Record<string, string>}
 */
export function writeView({ kind, sort, chips, camera, least, most, lambda, open, like }) {
  const size = least === null && most === null ? null : `${least ?? ""}-${most ?? ""}`;
  const all = {
    view: kind === FIRST.kind ? null : kind,
    sort: sort === FIRST.sort ? null : sort,
    show: chips.length ? chips.join(" ") : null,
    camera,
    size,
    lambda: lambda === null ? null : lambda.toFixed(2),
    open,
    like,
  };
  const set = Object.entries(all).filter(([, value]) => value !== null);
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}

/**
 * Press a chip: labelled and not labelled exclude each other.
 * @param {string[]} chips
 */
export function toggleChip(chips, name) {
  if (chips.includes(name)) return chips.filter((other) => other !== name);
  return [...chips.filter((other) => other !== OPPOSITE[name]), name];
}

/** @param {View} view */
export const isFiltered = ({ chips, camera, least, most }) =>
  chips.length > 0 || camera !== null || least !== null || most !== null;

const CLUSTER_TESTS = {
  doubt: ({ doubtShares }, cluster) => doubtShares !== null && doubtShares[cluster] >= IN_DOUBT,
  one: ({ summaries }, cluster) => summaries.nCameras[cluster] === 1 && sizeOf(summaries, cluster) > 1,
  lost: ({ layout, summaries, lambda }, cluster) => nReliableOf(layout, membersOf(summaries, cluster), lambda) < 2,
  labelled: ({ nLabelled }, cluster) => nLabelled[cluster] > 0,
  unlabelled: ({ nLabelled }, cluster) => nLabelled[cluster] === 0,
};

/**
 * Whether a chip's filter lets a cluster through.
 * @param {Known} known
 */
export const passes = (known, cluster, name) => CLUSTER_TESTS[name](known, cluster);

const IMAGE_TESTS = {
  doubt: ({ doubts }, image) => doubts !== null && isDoubtful(doubts[image]),
  one: (known, image) => passes(known, known.layout.clusters[image], "one"),
  lost: ({ layout, lambda }, image) => !isReliableAt(layout, image, lambda),
  labelled: ({ owners }, image) => owners[image] > 0,
  unlabelled: ({ owners }, image) => owners[image] <= 0,
};

/**
 * How many clusters, or images, each chip would show by itself.
 * @param {Known} known
 * @param {View["kind"]} kind
 * @returns {Record<string, number>}
 */
export function countChips(known, kind) {
  const names = Object.keys(CHIPS);
  const counts = Object.fromEntries(names.map((name) => [name, 0]));
  const { n, order } = known.summaries;
  const tests = kind === "images" ? IMAGE_TESTS : CLUSTER_TESTS;
  const items = kind === "images" ? order : Array(n).keys();
  for (const item of items) for (const name of names) if (tests[name](known, item)) counts[name] += 1;
  return counts;
}

/**
 * The clusters to show, in order.
 * @param {Known} known
 * @param {View} view
 * @returns {Int32Array}
 */
export function selectClusters(known, view) {
  const { summaries, layout, cameraNames, within } = known;
  const camera = view.camera === null ? null : cameraNames.indexOf(view.camera);
  const caught = within && new Set(Array.from(within, (image) => layout.clusters[image]));
  const found = [];
  for (let cluster = 0; cluster < summaries.n; cluster += 1) {
    const size = sizeOf(summaries, cluster);
    if (size === 0 || size < (view.least ?? 0) || size > (view.most ?? Infinity)) continue;
    if (camera !== null && (camera < 0 || !hasCamera(summaries, cluster, camera))) continue;
    if (caught && !caught.has(cluster)) continue;
    if (view.chips.every((name) => passes(known, cluster, name))) found.push(cluster);
  }
  const key = clusterKeys(known, view.sort);
  return Int32Array.from(found).sort((a, b) => key[a] - key[b] || sizeOf(summaries, b) - sizeOf(summaries, a) || a - b);
}

// What clusters are sorted by, ascending; unknown ones come last.
function clusterKeys({ summaries, doubtShares, purities, lambda }, sort) {
  const { n, cohesions, nCameras } = summaries;
  const values = {
    doubt: (cluster) => (doubtShares ? -doubtShares[cluster] : 0),
    size: (cluster) => -sizeOf(summaries, cluster),
    small: (cluster) => sizeOf(summaries, cluster),
    cohesion: (cluster) => cohesions[cluster],
    purity: (cluster) => (purities && !Number.isNaN(purities[cluster]) ? purities[cluster] : 2),
    cameras: (cluster) => -nCameras[cluster],
    lambda: (cluster) => Math.abs(cohesions[cluster] - lambda),
  };
  return Float64Array.from({ length: n }, (_, cluster) => values[sort](cluster));
}

/**
 * The images to show, in order: each by itself where its cosine, doubt or camera is what is asked for, and by its
 * cluster otherwise.
 * @param {Known} known
 * @param {View} view
 * @returns {Int32Array}
 */
export function selectImages(known, view) {
  const { layout, summaries, cameraNames, within } = known;
  const camera = view.camera === null ? null : cameraNames.indexOf(view.camera);
  const isShown = (image) => {
    const size = sizeOf(summaries, layout.clusters[image]);
    if (size < (view.least ?? 0) || size > (view.most ?? Infinity)) return false;
    if (camera !== null && layout.cameras[image] !== camera) return false;
    if (within && !within.has(image)) return false;
    return view.chips.every((name) => IMAGE_TESTS[name](known, image));
  };
  const found = summaries.order.filter(isShown);
  const keys = imageKeys(known, view.sort);
  if (!keys) return byCluster(known, view, found);
  return found.sort((a, b) => keys(a) - keys(b) || a - b);
}

function imageKeys({ layout, doubts, lambda }, sort) {
  const { similarities } = layout;
  return {
    doubt: doubts && ((image) => -doubts[image]),
    cohesion: (image) => similarities[image],
    lambda: (image) => Math.abs(similarities[image] - lambda),
  }[sort];
}

function byCluster(known, view, images) {
  const { layout, summaries } = known;
  const every = selectClusters({ ...known, within: null }, { ...FIRST, sort: view.sort });
  const place = new Int32Array(summaries.n);
  every.forEach((cluster, at) => {
    place[cluster] = at;
  });
  const rank = new Int32Array(layout.n);
  summaries.order.forEach((image, at) => {
    rank[image] = at;
  });
  return images.sort((a, b) => place[layout.clusters[a]] - place[layout.clusters[b]] || rank[a] - rank[b]);
}
