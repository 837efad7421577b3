// What is stored when somebody judges an opened cluster. A label names images, never the number of a cluster.

/**
 * @typedef {import("../shared_js/types").Act} Act
 * @typedef {{ kept: number[], dropped: number[], owners: Map<number, number> }} Judged Image ids that are one person,
 *   ids that were said to be somebody else, and the identity of each image that has one.
 */

/** @param {Judged} judged */
function identitiesIn({ kept, owners }) {
  const found = new Map();
  for (const image of kept) if (owners.get(image) > 0) found.set(owners.get(image), true);
  return [...found.keys()].sort((a, b) => a - b);
}

/**
 * The acts that make what is kept one person: a new one, more of one that is known, or several merged.
 *
 * @param {Judged} judged
 * @param {{ identity?: number, name?: string }} who The person it was said to be; by default the one its images show.
 * @returns {Act[]} None where nothing would change.
 */
export function actsOfPerson(judged, who = {}) {
  const { kept, dropped, owners } = judged;
  if (!kept.length) return [];
  const present = identitiesIn(judged);
  const target = who.identity ?? present[0];
  const name = who.name ? { name: who.name } : {};
  if (target === undefined) return [{ kind: "create", images: kept, dropped, ...name }];
  const merged = present.filter((identity) => identity !== target);
  const free = kept.filter((image) => !(owners.get(image) > 0));
  const taken = dropped.filter((image) => owners.get(image) === target || merged.includes(owners.get(image)));
  /** @type {Act[]} */
  const acts = [];
  if (taken.length) acts.push(...removals(taken, owners));
  if (merged.length) acts.push({ kind: "merge", identities: [target, ...merged] });
  const apart = dropped.filter((image) => !taken.includes(image));
  if (free.length || apart.length) acts.push({ kind: "add", identity: target, images: free, dropped: apart });
  if (who.name && who.identity === undefined) acts.push({ kind: "rename", identity: target, name: who.name });
  return acts;
}

function removals(images, owners) {
  /** @type {Map<number, number[]>} */
  const groups = new Map();
  for (const image of images) groups.set(owners.get(image), [...(groups.get(owners.get(image)) ?? []), image]);
  return [...groups].map(([identity, own]) => ({ kind: "remove", identity, images: own }));
}

/**
 * What the button that makes one person says.
 * @param {Judged} judged
 * @param {(identity: number) => string} nameOfIdentity
 */
export function personText(judged, nameOfIdentity, counted) {
  const { kept, owners } = judged;
  const present = identitiesIn(judged);
  const nFree = kept.filter((image) => !(owners.get(image) > 0)).length;
  if (!present.length) return `One person: ${counted(kept.length, "image")}`;
  if (present.length === 1) {
    const name = nameOfIdentity(present[0]);
    return nFree ? `Add ${counted(nFree, "image")} to ${name}` : `All are ${name}`;
  }
  const names = present.length === 2 ? present.map(nameOfIdentity).join(" and ") : `${present.length} people`;
  return `Merge ${names}${nFree ? `, add ${nFree}` : ""}`;
}

/**
 * Two groups of images are two people.
 * @param {number[]} left
 * @param {number[]} right
 * @returns {Act}
 */
export const actOfTwoPeople = (left, right) => ({
  kind: "pair",
  question: { left: { images: left }, right: { images: right } },
  answer: "different",
});
