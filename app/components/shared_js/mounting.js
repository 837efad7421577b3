// One object behind each component: made when Streamlit first draws it, gone when the page is left.

/**
 * The object behind an element, made anew where it no longer fits; and what Streamlit calls when the page is left.
 * @template {{ dispose: () => void }} T
 * @param {HTMLElement & { mounted?: T | null }} root
 * @param {(mounted: T) => boolean} fits Whether the one that is there can show what the server sent.
 * @param {() => T} make
 * @returns {[T, () => void]}
 */
export function mounted(root, fits, make) {
  const leave = () => {
    root.mounted?.dispose();
    root.mounted = null;
  };
  if (root.mounted && !fits(root.mounted)) leave();
  root.mounted ??= make();
  return [root.mounted, leave];
}
