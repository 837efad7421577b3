// What finds similar pictures by the pointer; the key F does the same for whom no pointer serves.
export const ALIKE = '<span class="alike" aria-hidden="true" title="Find similar pictures (F)">⌕</span>';
