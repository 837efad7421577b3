import assert from "node:assert/strict";
import { test } from "node:test";

import { keyName } from "../../app/components/shared_js/keys.js";

const pressed = [
  ["a Latin letter", "x", "KeyX", "x"],
  ["a capital", "X", "KeyX", "x"],
  ["AZERTY: what is typed, not where", "a", "KeyQ", "a"],
  ["Dvorak", "s", "Semicolon", "s"],
  ["Russian Ч is on X", "ч", "KeyX", "x"],
  ["Russian Я is on Z", "Я", "KeyZ", "z"],
  ["Greek", "χ", "KeyX", "x"],
  ["Hebrew", "ס", "KeyX", "x"],
  ["Arabic", "ء", "KeyX", "x"],
  ["Korean", "ㅌ", "KeyX", "x"],
  ["Ukrainian letter that is no letter on a Latin board", "х", "BracketLeft", "х"],
  ["a digit", "4", "Digit4", "4"],
  ["a digit with Shift", "$", "Digit4", "4"],
  ["AZERTY's digits are typed with Shift", "é", "Digit2", "2"],
  ["the number pad", "4", "Numpad4", "4"],
  ["the number pad without Num Lock", "ArrowLeft", "Numpad4", "ArrowLeft"],
  ["the number pad's 0 without Num Lock", "Insert", "Numpad0", "Insert"],
  ["Russian ? is on 7", "?", "Digit7", "?"],
  ["Enter", "Enter", "Enter", "Enter"],
  ["the number pad's Enter", "Enter", "NumpadEnter", "Enter"],
  ["Space", " ", "Space", " "],
  ["a key that waits for a letter", "Dead", "KeyE", "Dead"],
];

for (const [title, key, code, name] of pressed) {
  test(`keyName: ${title}`, () => assert.equal(keyName({ key, code }), name));
}
