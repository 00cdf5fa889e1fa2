// The language of the page: by choice, else the first of the browser's that fits.
import { visible } from "./visible.js";
import { EN } from "./words-en.js";
import { ZH } from "./words-zh.js";

/** @typedef {keyof typeof EN} WordId */
/** @typedef {"en" | "zh"} Language */

/** @type {Language} */
let current = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export function language() {
  return current;
}

/** @param {Language} wanted */
export function setLanguage(wanted) {
  current = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
}

/**
 * The words of that id. `{name}` is a value, `{n|one|more}` goes by the number n.
 * @param {WordId} id
 * @param {Record<string, string | number>} [values]
 */
export function t(id, values = {}) {
  const text = current === "zh" ? ZH[id] : EN[id];
  return text
    .replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, one, more) => (Number(values[name]) === 1 ? one : more))
    .replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * A word that the device told, in the page's language where the table has it.
 * @param {string | null | undefined} word
 */
export function told(word) {
  if (word === null || word === undefined || word === "") {
    return "";
  }
  const id = `told.${word}`;
  return id in EN ? t(/** @type {WordId} */ (id)) : visible(word);
}

/**
 * Of two texts that came together the one of the page's language.
 * @param {string | null | undefined} en
 * @param {string | null | undefined} zh
 */
export function either(en, zh) {
  return (current === "zh" && zh ? zh : en) ?? "";
}
