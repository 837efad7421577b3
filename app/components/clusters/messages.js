// What an error says.
/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
