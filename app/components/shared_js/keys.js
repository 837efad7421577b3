// What a key means, on any keyboard.

/**
 * The name of the key that was pressed: a Latin letter in lower case, a digit, or the browser's own name for it.
 *
 * A letter goes by what the key types where that is Latin, and else by its place on the board: what types Ч on a Russian
 * keyboard is X on a Latin one. What types ? asks for help, be it on a digit. A key of the number pad is a digit only where it types one: without Num Lock it moves.
 * @param {Pick<KeyboardEvent, "key" | "code">} event
 */
export function keyName({ key, code }) {
  if (/^[a-z?]$/i.test(key)) return key.toLowerCase();
  const digit = /^Digit(\d)$/.exec(code)?.[1] ?? (/^Numpad\d$/.test(code) && /^\d$/.test(key) ? key : null);
  if (digit !== null) return digit;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  return letter && isLetter(key) ? letter.toLowerCase() : key;
}

const isLetter = (key) => /^\p{L}$/u.test(key);
