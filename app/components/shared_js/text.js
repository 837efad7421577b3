// How names and counts are written.
export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
export const counted = (n, thing) => `${n.toLocaleString("en")} ${n === 1 ? thing : `${thing}s`}`;
export const nameOf = (number) => `ID_${String(number).padStart(3, "0")}`;
export const count = (value) => value.toLocaleString("en");
