// What the server sends to the components, and what they make of it. The Python side: app/payloads.py.

/** A point of the map, in thousandths of the view. */
export type Point = [number, number];

/** An image on a card. */
export interface Tile {
  image: number;
  token: string;
  camera: number | null;
  tracklet: number;
  isChosen: boolean;
  isReliable: boolean;
  point: Point | null;
}

/** Images that may be of a card's person. */
export interface Candidate {
  tiles: Tile[];
  cameras: number;
  probability: number;
  isUnlikely: boolean;
  point: Point | null;
}

/** Affinities of tracklets: whole numbers in a square, as base64. */
export interface PackedLikeness {
  tracklets: number[];
  steps: string;
}

/** How alike the tracklets of a card are. */
export interface LikenessOf {
  toPerson(candidate: Candidate, members: number[]): number;
  halve(tracklets: number[]): [number[], number[]];
}

/** Candidates, with what ranks them. */
export interface Pool {
  candidates: Candidate[];
  likeness: LikenessOf;
}

/** One question: who is this? */
export interface Card extends Pool {
  id: string;
  reason: string;
  tiles: Tile[];
  joined: Candidate[];
  nearest: number[];
  nMore?: number;
  map?: { around: Point[]; identities: [number, number, number][] };
  pictures?: HTMLImageElement[];
  work?: any;
  isBack?: boolean;
}

/** A person whom somebody named; one that is on its way to the server goes by its token. */
export interface Identity {
  identity: number | string;
  name: string;
  color: string;
  tokens: string[];
  n: number;
}

/** What a person did, before it has a token. */
export interface Act {
  kind: string;
  [field: string]: unknown;
}

/** An act on its way to the server. */
export interface Commit extends Act {
  token: string;
  card?: string;
  images?: number[];
}

/** Gives a value of a component to the server. */
export type Send = (name: string, value: unknown) => void;

/** An iteration's map. */
export interface Layout {
  n: number;
  points: Float32Array;
  similarities: Float32Array;
  clusters: Int32Array;
  centers: Int32Array;
  isCenter: Uint8Array;
  [layer: string]: any;
}
