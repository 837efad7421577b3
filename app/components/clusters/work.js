// An opened cluster, or several together: what is kept, what was dropped. A value, so that undo is to go back to the old.

/**
 * @typedef {object} Opened
 * @property {readonly number[]} clusters Their numbers in this iteration; for the screen only.
 * @property {readonly number[]} images Indices of the images in question.
 * @property {ReadonlySet<number>} dropped Images that were said to be somebody else.
 * @property {readonly number[]} away Images that were split off and wait for their own turn.
 */

/**
 * @param {readonly number[]} clusters
 * @param {readonly number[]} images
 * @returns {Opened}
 */
export const openedOf = (clusters, images) => ({ clusters, images, dropped: new Set(), away: [] });

/** @param {Opened} opened */
export const keptOf = ({ images, dropped }) => images.filter((image) => !dropped.has(image));

/**
 * Drop images, or take them back.
 * @param {Opened} opened
 * @param {Iterable<number>} images
 * @param {boolean} isDropped
 * @returns {Opened}
 */
export function drop(opened, images, isDropped) {
  const dropped = new Set(opened.dropped);
  for (const image of images)
    if (isDropped) dropped.add(image);
    else dropped.delete(image);
  return { ...opened, dropped };
}

/**
 * Split images off: they wait, and what stays is one group.
 * @param {Opened} opened
 * @param {Iterable<number>} away
 * @returns {Opened | null} Null where nothing or all would go.
 */
export function splitOff(opened, away) {
  const gone = new Set([...away].filter((image) => opened.images.includes(image)));
  const images = opened.images.filter((image) => !gone.has(image));
  if (!gone.size || !images.length) return null;
  const dropped = new Set([...opened.dropped].filter((image) => !gone.has(image)));
  return { ...opened, images, dropped, away: opened.images.filter((image) => gone.has(image)) };
}

/**
 * The group that waits takes its turn, and the other one waits.
 * @param {Opened} opened
 * @returns {Opened}
 */
export const swapParts = (opened) => ({ ...opened, images: opened.away, away: opened.images, dropped: new Set() });

/**
 * What is left to look at once what was kept has been judged: the group that waits, or what was kept.
 * @param {Opened} opened
 * @returns {Opened}
 */
export function afterJudging(opened) {
  if (opened.away.length) return swapParts({ ...opened, images: [] });
  return { ...opened, images: keptOf(opened), dropped: new Set() };
}

/**
 * The two groups are one again.
 * @param {Opened} opened
 * @returns {Opened}
 */
export const joinParts = (opened) => ({ ...opened, images: [...opened.images, ...opened.away], away: [] });
