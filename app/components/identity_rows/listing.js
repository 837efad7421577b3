// Which identities are shown, in what order, and on which page.
export const PAGE = 40; // rows: as many as a look takes in, and a browser draws at once

/**
 * @typedef {{ identity: number, name: string, n_images: number, compactness: number, role: string,
 *   flags: [string, string, string][] }} Row
 * @typedef {{ search?: string, filter?: string, sort?: string, only?: Set<number> | null, page?: number }} View
 */

const ATTENTION = new Set(["contradiction", "same_name", "outlier"]);

const FILTERS = {
  all: () => true,
  attention: (row, doubtful) => row.flags.some(([kind]) => ATTENTION.has(kind)) || doubtful.has(row.identity),
  one_camera: (row) => row.flags.some(([kind]) => kind === "one_camera"),
  training: (row) => row.role === "training",
  validation: (row) => row.role === "validation",
};

const ORDERS = {
  made: () => 0,
  newest: (a, b) => b.identity - a.identity,
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  most: (a, b) => b.n_images - a.n_images,
  fewest: (a, b) => a.n_images - b.n_images,
  loose: (a, b) => a.compactness - b.compactness,
};

/**
 * All rows that a view shows, in its order.
 * @param {Row[]} rows
 * @param {View} view
 * @param {Set<number>} doubtful Identities that may be somebody else as well.
 */
export function listed(rows, { search = "", filter = "all", sort = "made", only = null }, doubtful = new Set()) {
  if (only) return rows.filter(({ identity }) => only.has(identity));
  const wanted = search.trim().toLowerCase();
  return rows
    .filter((row) => FILTERS[filter](row, doubtful) && row.name.toLowerCase().includes(wanted))
    .sort(ORDERS[sort]);
}

/**
 * The rows of one page, and how many pages there are; a page that is gone is the last one.
 * @param {Row[]} rows
 * @param {number} page From 0.
 */
export function pageOf(rows, page) {
  const nPages = Math.max(1, Math.ceil(rows.length / PAGE));
  const at = Math.min(Math.max(0, page), nPages - 1);
  return { rows: rows.slice(at * PAGE, (at + 1) * PAGE), page: at, nPages };
}

/**
 * The identities between two of a list, both included.
 * @param {Row[]} rows
 * @param {number | null} from
 * @param {number} to
 */
export function between(rows, from, to) {
  const places = [from, to].map((wanted) => rows.findIndex(({ identity }) => identity === wanted));
  if (places.includes(-1)) return [to];
  return rows.slice(Math.min(...places), Math.max(...places) + 1).map(({ identity }) => identity);
}

/**
 * Whose name it is already: the identity, or undefined; case does not count.
 * @param {Row[]} rows
 * @param {number} own
 * @param {string} name
 */
export function namesake(rows, own, name) {
  const wanted = name.trim().toLowerCase();
  return rows.find((row) => wanted && row.identity !== own && row.name.toLowerCase() === wanted);
}
