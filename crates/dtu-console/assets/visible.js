// Texts that come from elsewhere: what would steer or hide is shown by its number.
import { hexOf, isHidden } from "./bytes.js";

/**
 * A text in pieces; `true` marks those that stand for a character without a glyph.
 * @param {string} text
 * @returns {Array<[string, boolean]>}
 */
export function pieces(text) {
  /** @type {Array<[string, boolean]>} */
  const found = [];
  let plain = "";
  for (const char of text) {
    if (!isHidden(char)) {
      plain += char;
      continue;
    }
    if (plain !== "") {
      found.push([plain, false]);
      plain = "";
    }
    found.push([nameOf(char), true]);
  }
  if (plain !== "") {
    found.push([plain, false]);
  }
  return found;
}

/** @param {string} char */
function nameOf(char) {
  const code = char.codePointAt(0) ?? 0;
  if (code === 10) {
    return "\\n";
  }
  if (code === 13) {
    return "\\r";
  }
  if (code === 9) {
    return "\\t";
  }
  return code < 0x100 ? `\\x${hexOf(code)}` : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The same as one text, for places that take no elements: an option, a label. @param {string} text */
export function visible(text) {
  return pieces(text)
    .map(([piece]) => piece)
    .join("");
}
