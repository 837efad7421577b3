// How names and counts are written.
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const counted = (n, thing) => `${n.toLocaleString("en")} ${n === 1 ? thing : `${thing}s`}`;
const nameOf = (number) => `ID_${String(number).padStart(3, "0")}`;
