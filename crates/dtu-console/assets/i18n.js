// The language of the page: by choice, else the first of the browser's that fits.
import { visible } from "./visible.js";

/** @typedef {keyof typeof import("./words-en.js").EN} WordId */
/** @typedef {"en" | "zh"} Language */
/** @typedef {{words: Record<WordId, string>, sentences: Array<[string, string]>}} Texts */

/** @type {Language} */
let current = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

/**
 * What that language needs; the other one's is not loaded. theme.js asks for the same ahead.
 * @param {Language} wanted
 * @returns {Promise<Texts>}
 */
async function load(wanted) {
  if (wanted === "en") {
    return { words: (await import("./words-en.js")).EN, sentences: [] };
  }
  const [{ ZH }, { SENTENCES }] = await Promise.all([import("./words-zh.js"), import("./sentences-zh.js")]);
  return { words: ZH, sentences: SENTENCES };
}

let { words, sentences } = await load(current);

export function language() {
  return current;
}

/** Fails, and changes nothing, where the texts cannot be had. @param {Language} wanted */
export async function setLanguage(wanted) {
  ({ words, sentences } = await load(wanted));
  current = wanted;
  patterns = null;
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
}

/**
 * The words of that id. `{name}` is a value, `{n|one|more}` goes by the number n.
 * @param {WordId} id
 * @param {Record<string, string | number>} [values]
 */
export function t(id, values = {}) {
  return words[id]
    .replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, one, more) => (Number(values[name]) === 1 ? one : more))
    .replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * The words of an id that may be none. @param {string} id
 * @returns {string | null}
 */
export function maybe(id) {
  return id in words ? t(/** @type {WordId} */ (id)) : null;
}

/**
 * A word that the device told, in the page's language where the table has it.
 * @param {string | null | undefined} word
 */
export function told(word) {
  if (word === null || word === undefined || word === "") {
    return "";
  }
  return maybe(`told.${word}`) ?? visible(sentence(word)[0]);
}

/**
 * Of two texts that came together the one of the page's language.
 * @param {string | null | undefined} en
 * @param {string | null | undefined} zh
 */
export function either(en, zh) {
  return (current === "zh" && zh ? zh : en) ?? "";
}

/** @type {Array<[RegExp, string[], string]> | null} */
let patterns = null;

/** Each sentence as a pattern, its names, and the Chinese. */
function compiled() {
  patterns ??= sentences.map(([english, chinese]) => {
    /** @type {string[]} */
    const names = [];
    const source = english.split(/\{(\w+)\}/).map((part, at) => {
      if (at % 2 === 0) {
        return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      }
      names.push(part);
      return part.length === 1 ? "([^\\s:]+)" : "(.+?)";
    });
    return [new RegExp(`^${source.join("")}$`, "s"), names, chinese];
  });
  return patterns;
}

/**
 * What the device says, in Chinese; null where the table does not have it.
 * @param {string} text
 * @param {number} [depth]
 * @returns {string | null}
 */
export function inChinese(text, depth = 0) {
  const id = `told.${text}`;
  if (id in words) {
    return words[/** @type {WordId} */ (id)];
  }
  for (const [pattern, names, chinese] of compiled()) {
    const found = pattern.exec(text);
    if (found === null) {
      continue;
    }
    const values = new Map(names.map((name, at) => [name, found[at + 1] ?? ""]));
    const isWhole = [...values].every(([name, value]) => {
      if (!/^[A-Z]/.test(name)) {
        return true;
      }
      const told = depth < 3 ? inChinese(value, depth + 1) : null;
      values.set(name, told ?? value);
      // A reason of the host's own may be any; the thing a line is about may not.
      return told !== null || name === "Why";
    });
    if (isWhole) {
      return chinese.replace(/\{(\w+)\}/g, (_, name) => values.get(name) ?? "");
    }
  }
  return null;
}

/**
 * A sentence of the device in the page's language, and the language that it is in.
 * @param {string} text
 * @returns {[text: string, language: "en" | null]} null: the page's own
 */
export function sentence(text) {
  if (current === "en") {
    return [text, null];
  }
  const told = inChinese(text);
  return told === null ? [text, "en"] : [told, null];
}
