// Cards as the server sends them, unpacked.
import { Likeness } from "../../app/components/card/likeness.js";

/** A tile of an image; its tracklet is its own unless another is named. */
export function tile(image, { camera = 1, tracklet = image, isChosen = true, isReliable = true } = {}) {
  return { image, token: `t${image}`, camera, tracklet, isChosen, isReliable, point: null };
}

export function candidate(...images) {
  return { tiles: images.map((image) => tile(image)), cameras: 1, probability: 0.5, isUnlikely: false, point: null };
}

/** Affinities of tracklets, from a table of whole numbers. */
export function likeness(tracklets, rows) {
  const steps = Buffer.from(Int8Array.from(rows.flat()).buffer).toString("base64");
  return new Likeness({ tracklets, steps });
}

export function card(tiles, { candidates = [], joined = [], alike = likeness([], []) } = {}) {
  return { id: "c1", reason: "", tiles, candidates, joined, likeness: alike, nearest: [] };
}

export const imagesIn = (tiles) => tiles.map(({ image }) => image);
