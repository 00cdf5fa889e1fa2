// Bytes as people write and read them: hex, text with escapes, UTF-8 and GBK. Every function keeps all 256 values.

/** @typedef {"utf-8" | "gbk"} Charset */
/**
 * What is wrong with a text, and where: an id of the word table with its values.
 * @typedef {{id: "bytes.hex" | "bytes.odd" | "bytes.escape" | "bytes.charset", at: number, what: string}} Fault
 */
/** @typedef {{bytes: Uint8Array, fault: null} | {bytes: null, fault: Fault}} Parsed */

const FULL_WIDTH = /[\uFF01-\uFF5E]/g;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u3164\uFFA0\uFFFD]/u;

/** @type {Map<string, number> | null} */
let gbkCodes = null;

/** Full-width letters, digits and signs as their ASCII twins. @param {string} text */
export function narrow(text) {
  return text
    .replace(FULL_WIDTH, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0))
    .replace(/\u3000/g, " ");
}

/** Whether a character is better shown by its number. @param {string} char */
export function isHidden(char) {
  return HIDDEN.test(char);
}

/**
 * Hex in any common spelling: `313131`, `31 31`, `0x31, 0x31`, `31:31`, `\x31\x31`, `31h`.
 * @param {string} text
 * @returns {Parsed}
 */
export function parseHex(text) {
  /** @type {number[]} */
  const bytes = [];
  const tokens = narrow(text).matchAll(/[^\s:;,.\-_|]+/g);
  for (const token of tokens) {
    const pieces = token[0].replace(/[hH]$/, "").split(/0x|\\x/i);
    let at = token.index;
    for (const piece of pieces) {
      const bad = piece.search(/[^0-9a-f]/i);
      if (bad >= 0) {
        const place = text.indexOf(piece, at) + bad;
        return { bytes: null, fault: { id: "bytes.hex", at: place, what: [...piece.slice(bad)][0] ?? "" } };
      }
      // `0x5` is one byte; a lone digit elsewhere is more likely one that was forgotten.
      const whole = piece.length === 1 && pieces.length > 1 ? `0${piece}` : piece;
      if (whole.length % 2 !== 0) {
        return { bytes: null, fault: { id: "bytes.odd", at, what: piece } };
      }
      for (let digit = 0; digit < whole.length; digit += 2) {
        bytes.push(Number.parseInt(whole.slice(digit, digit + 2), 16));
      }
      at += piece.length;
    }
  }
  return { bytes: Uint8Array.from(bytes), fault: null };
}

/**
 * @param {Uint8Array} bytes
 * @param {string} [between]
 */
export function toHex(bytes, between = "") {
  return Array.from(bytes, hexOf).join(between);
}

/** @param {number} byte */
export function hexOf(byte) {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

/**
 * Text with `\r \n \t \0 \\ \xHH`; everything else stands for itself in the charset.
 * @param {string} text
 * @param {Charset} charset
 * @returns {Parsed}
 */
export function parseEscapes(text, charset) {
  /** @type {number[]} */
  const bytes = [];
  /** @type {Record<string, number>} */
  const named = { r: 13, n: 10, t: 9, 0: 0, "\\": 92 };
  for (let at = 0; at < text.length; ) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (char !== "\\") {
      const coded = encodeChar(char, charset);
      if (coded === null) {
        return { bytes: null, fault: { id: "bytes.charset", at, what: char } };
      }
      bytes.push(...coded);
      at += char.length;
      continue;
    }
    const next = text[at + 1] ?? "";
    const digits = /^x([0-9a-f]{2})/i.exec(text.slice(at + 1, at + 4));
    if (digits) {
      bytes.push(Number.parseInt(digits[1] ?? "", 16));
      at += 4;
    } else if (next in named) {
      bytes.push(named[next] ?? 0);
      at += 2;
    } else {
      return { bytes: null, fault: { id: "bytes.escape", at, what: `\\${next}` } };
    }
  }
  return { bytes: Uint8Array.from(bytes), fault: null };
}

/**
 * The text whose `parseEscapes` gives these bytes again. What has no glyph of its own is escaped.
 * @param {Uint8Array} bytes
 * @param {Charset} charset
 */
export function showEscapes(bytes, charset) {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    if (byte === 92) {
      text += "\\\\";
      at += 1;
      continue;
    }
    const char = charAt(bytes, at, charset);
    if (char === null) {
      text += byte === 13 ? "\\r" : byte === 10 ? "\\n" : byte === 9 ? "\\t" : `\\x${hexOf(byte)}`;
      at += 1;
    } else {
      text += char.text;
      at += char.length;
    }
  }
  return text;
}

/**
 * The character that begins there, if it can be shown and its bytes are the only ones that mean it.
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {Charset} charset
 * @returns {{text: string, length: number} | null}
 */
function charAt(bytes, at, charset) {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) {
    return lead < 0x20 || lead === 0x7f ? null : { text: String.fromCharCode(lead), length: 1 };
  }
  const length = charset === "gbk" ? 2 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const coded = bytes.subarray(at, at + length);
  if (coded.length < length) {
    return null;
  }
  const text = decode(coded, charset);
  if (text === null || [...text].length !== 1 || isHidden(text)) {
    return null;
  }
  const again = encodeChar(text, charset);
  const isSame = again !== null && again.length === length && again.every((byte, place) => byte === coded[place]);
  return isSame ? { text, length } : null;
}

/**
 * @param {Uint8Array} bytes
 * @param {Charset} charset
 */
function decode(bytes, charset) {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * @param {string} char
 * @param {Charset} charset
 * @returns {number[] | null}
 */
function encodeChar(char, charset) {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) {
    return [code];
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    return null;
  }
  if (charset === "utf-8") {
    return [...new TextEncoder().encode(char)];
  }
  gbkCodes ??= allOfGbk();
  const coded = gbkCodes.get(char);
  return coded === undefined ? null : [coded >> 8, coded & 0xff];
}

/** The platform decodes GBK but does not encode it: the table is made by decoding every pair once. */
function allOfGbk() {
  const codes = new Map();
  const decoder = new TextDecoder("gbk", { fatal: true });
  for (let lead = 0x81; lead <= 0xfe; lead += 1) {
    for (let trail = 0x40; trail <= 0xfe; trail += 1) {
      if (trail === 0x7f) {
        continue;
      }
      try {
        const char = decoder.decode(Uint8Array.of(lead, trail));
        if ([...char].length === 1 && !codes.has(char)) {
          codes.set(char, (lead << 8) | trail);
        }
      } catch {
        // Not a pair of GBK.
      }
    }
  }
  return codes;
}

/** @param {string} text */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) {
    bytes[at] = binary.charCodeAt(at);
  }
  return bytes;
}

/**
 * Bytes as printable ASCII, with a dot for each other one.
 * @param {Uint8Array} bytes
 */
export function asciiOf(bytes) {
  return Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
}

/**
 * Where a sequence of bytes stands in others; -1: nowhere.
 * @param {Uint8Array} bytes
 * @param {Uint8Array} wanted
 */
export function indexOfBytes(bytes, wanted) {
  if (wanted.length === 0) {
    return -1;
  }
  for (let at = bytes.indexOf(wanted[0] ?? 0); at >= 0; at = bytes.indexOf(wanted[0] ?? 0, at + 1)) {
    if (wanted.every((byte, place) => bytes[at + place] === byte)) {
      return at;
    }
  }
  return -1;
}
