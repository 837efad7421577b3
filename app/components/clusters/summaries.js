// What is known of each cluster, counted once from the arrays of the map.

const SPREADS = 3.5; // of the median absolute deviation, as a standard deviation: as in services/identities.py
const MAD_TO_SD = 1.4826;
const LEAST_SPREAD = 0.02;
const LEAST_FOR_OUTLIERS = 4;

/**
 * @typedef {import("../shared_js/types").Layout} Layout
 * @typedef {object} Summaries
 * @property {number} n Clusters, K.
 * @property {Int32Array} order Images by cluster: the center first, then by falling cosine to it; outliers are not in it.
 * @property {Int32Array} starts Where each cluster begins in `order`, and where the last one ends, shape (K + 1,).
 * @property {Float32Array} cohesions Mean cosine to the center of the images beside it; 1 for a center alone.
 * @property {Int32Array} nCameras Known cameras of each cluster.
 * @property {Int32Array} cameras Bit for each camera, 32 in a word, shape (K × words,).
 * @property {number} words
 */

/**
 * Count in one pass over N images: sizes, cohesion, cameras, and the order in which a cluster's images are shown.
 * @param {Layout} layout
 * @returns {Summaries}
 */
export function summarize({ n: nImages, clusters, centers, similarities, cameras: cameraOf }) {
  const n = centers.length;
  const starts = new Int32Array(n + 1);
  let mostCamera = -1;
  for (let image = 0; image < nImages; image += 1) {
    if (clusters[image] >= 0) starts[clusters[image] + 1] += 1;
    if (cameraOf[image] > mostCamera) mostCamera = cameraOf[image];
  }
  for (let cluster = 0; cluster < n; cluster += 1) starts[cluster + 1] += starts[cluster];
  const words = (mostCamera >> 5) + 1;
  const cameras = new Int32Array(n * words);
  const order = new Int32Array(starts[n]);
  const next = starts.slice(0, n);
  const sums = new Float64Array(n);
  for (let image = 0; image < nImages; image += 1) {
    const cluster = clusters[image];
    if (cluster < 0) continue;
    order[next[cluster]] = image;
    next[cluster] += 1;
    if (image !== centers[cluster]) sums[cluster] += similarities[image];
    const camera = cameraOf[image];
    if (camera >= 0) cameras[cluster * words + (camera >> 5)] |= 1 << (camera & 31);
  }
  const cohesions = new Float32Array(n);
  const nCameras = new Int32Array(n);
  for (let cluster = 0; cluster < n; cluster += 1) {
    const rank = (image) => (image === centers[cluster] ? Infinity : similarities[image]);
    order.subarray(starts[cluster], starts[cluster + 1]).sort((a, b) => rank(b) - rank(a) || a - b);
    const nOthers = starts[cluster + 1] - starts[cluster] - 1;
    cohesions[cluster] = nOthers > 0 ? sums[cluster] / nOthers : 1;
    for (let word = 0; word < words; word += 1) nCameras[cluster] += nBits(cameras[cluster * words + word]);
  }
  return { n, order, starts, cohesions, nCameras, cameras, words };
}

function nBits(word) {
  let left = word;
  let n = 0;
  while (left) {
    left &= left - 1;
    n += 1;
  }
  return n;
}

/** @param {Summaries} summaries */
export const sizeOf = ({ starts }, cluster) => starts[cluster + 1] - starts[cluster];

/** @param {Summaries} summaries */
export const membersOf = ({ order, starts }, cluster) => order.subarray(starts[cluster], starts[cluster + 1]);

/** @param {Summaries} summaries */
export const hasCamera = ({ cameras, words }, cluster, camera) =>
  camera >> 5 < words && (cameras[cluster * words + (camera >> 5)] & (1 << (camera & 31))) !== 0;

/**
 * The cameras of a cluster, by their index, ascending.
 * @param {Summaries} summaries
 */
export function camerasOf(summaries, cluster) {
  return Array.from({ length: 32 * summaries.words }, (_, camera) => camera).filter((camera) =>
    hasCamera(summaries, cluster, camera),
  );
}

/**
 * The faces that stand for a cluster: the center, those nearest to it, and the two farthest, where strays show.
 * @param {Int32Array} members The center first, then by falling cosine.
 */
export function facesOf(members, n = 6) {
  if (members.length <= n) return Array.from(members);
  return [...members.subarray(0, n - 2), ...members.subarray(members.length - 2)];
}

/**
 * Above λ, both in 32 bits, as the server compares; a center is, and λ 0 takes all but what is in no cluster.
 * @param {Layout} layout
 */
export function isReliableAt({ isCenter, similarities, clusters }, image, lambda) {
  if (clusters[image] < 0) return false;
  return lambda === 0 || isCenter[image] === 1 || similarities[image] > Math.fround(lambda);
}

/**
 * How many images of a cluster are reliable: those come first in its order, so a search finds the last of them.
 * @param {Layout} layout
 * @param {Int32Array} members
 */
export function nReliableOf(layout, members, lambda) {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReliableAt(layout, members[middle], lambda)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Share of each cluster's images that are as near to another center as to their own, shape (K,).
 * @param {Summaries} summaries
 * @param {Float32Array} doubts Cosine to the nearest other center less that to the own, shape (N,).
 */
export function doubtShares(summaries, doubts) {
  return Float32Array.from({ length: summaries.n }, (_, cluster) => {
    const members = membersOf(summaries, cluster);
    let n = 0;
    for (const image of members) if (isDoubtful(doubts[image])) n += 1;
    return members.length ? n / members.length : 0;
  });
}

export const isDoubtful = (doubt) => doubt >= 0;

/**
 * Images that may be somebody else: as near to another center, or far below the cosines of the others.
 * @param {Layout} layout
 * @param {Int32Array} members The center first.
 * @param {Float32Array | null} doubts
 * @returns {Set<number>}
 */
export function straysOf({ similarities, isCenter }, members, doubts) {
  const others = Array.from(members).filter((image) => !isCenter[image]);
  const cosines = others.map((image) => similarities[image]);
  const middle = median(cosines);
  const spread = Math.max(LEAST_SPREAD, MAD_TO_SD * median(cosines.map((cosine) => Math.abs(cosine - middle))));
  const least = others.length >= LEAST_FOR_OUTLIERS ? middle - SPREADS * spread : -Infinity;
  return new Set(others.filter((image) => (doubts && isDoubtful(doubts[image])) || similarities[image] < least));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Who is in a cluster by label: how many images have an owner, and the identity with most of them.
 * @param {Int32Array} members
 * @param {Int32Array} owners Identity of each image; 0 and below for none.
 */
export function labelsOf(members, owners) {
  const counts = new Map();
  for (const image of members) if (owners[image] > 0) counts.set(owners[image], (counts.get(owners[image]) ?? 0) + 1);
  let [nLabelled, most, identity] = [0, 0, 0];
  for (const [owner, n] of counts) {
    nLabelled += n;
    if (n > most || (n === most && owner < identity)) [most, identity] = [n, owner];
  }
  return { nLabelled, identity, nIdentities: counts.size, nOfIdentity: most };
}

/**
 * The token of an image's picture.
 * @param {Layout} layout
 */
export function tokenOf(layout, image) {
  const length = layout.tokens.length / layout.n;
  return String.fromCharCode(...layout.tokens.subarray(image * length, (image + 1) * length));
}
