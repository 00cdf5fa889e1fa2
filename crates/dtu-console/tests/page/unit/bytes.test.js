import assert from "node:assert/strict";
import { test } from "node:test";

import { asciiOf, fromBase64, indexOfBytes, narrow, parseEscapes, parseHex, showEscapes, toHex } from "../../../assets/bytes.js";

const ALL = Uint8Array.from({ length: 256 }, (_, value) => value);
const CHARSETS = /** @type {const} */ (["utf-8", "gbk"]);
const bytesOf = (...values) => Uint8Array.from(values);

test("hex is read in every common spelling", () => {
  for (const text of ["313131", "31 31 31", "0x31 31:31", "0x313131", "31,31,31", "31-31-31", "\\x31\\x31\\x31", "31h 31h 31H", "0x31,0x31;0X31", "\uFF13\uFF11 31\u300031", " 31\t31\n31 "]) {
    assert.deepEqual(parseHex(text), { bytes: bytesOf(0x31, 0x31, 0x31), fault: null }, text);
  }
  assert.deepEqual(parseHex("").bytes, bytesOf());
  assert.deepEqual(parseHex("0x5").bytes, bytesOf(5));
});

test("what is no hex is named with its place", () => {
  assert.deepEqual(parseHex("31 3g").fault, { id: "bytes.hex", at: 4, what: "g" });
  assert.deepEqual(parseHex("31 3").fault, { id: "bytes.odd", at: 3, what: "3" });
  assert.equal(parseHex("DTU0001").fault?.what, "T");
});

test("all 256 bytes survive hex", () => {
  assert.deepEqual(parseHex(toHex(ALL)).bytes, ALL);
  assert.deepEqual(parseHex(toHex(ALL, " ")).bytes, ALL);
});

test("all 256 bytes, alone and in any pair, survive text in both charsets", () => {
  for (const charset of CHARSETS) {
    assert.deepEqual(parseEscapes(showEscapes(ALL, charset), charset).bytes, ALL);
    for (let first = 0; first < 256; first += 1) {
      for (let second = 0; second < 256; second += 1) {
        const pair = bytesOf(first, second);
        const back = parseEscapes(showEscapes(pair, charset), charset);
        if (back.bytes === null || back.bytes[0] !== first || back.bytes[1] !== second || back.bytes.length !== 2) {
          assert.fail(`${charset} ${toHex(pair)} came back as ${JSON.stringify(back)}`);
        }
      }
    }
  }
});

test("random bytes survive text in both charsets", () => {
  let seed = 7;
  const next = () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed >> 16;
  };
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Uint8Array.from({ length: next() % 40 }, () => next() & 0xff);
    for (const charset of CHARSETS) {
      assert.deepEqual(parseEscapes(showEscapes(bytes, charset), charset).bytes, bytes, toHex(bytes));
    }
  }
});

test("text is taken in its charset", () => {
  assert.equal(toHex(parseEscapes("\u6CE8\u518C", "utf-8").bytes), "E6B3A8E5868C");
  assert.equal(toHex(parseEscapes("\u6CE8\u518C", "gbk").bytes), "D7A2B2E1");
  assert.equal(showEscapes(bytesOf(0xd7, 0xa2, 0xb2, 0xe1), "gbk"), "\u6CE8\u518C");
  assert.equal(showEscapes(bytesOf(0xb2, 0xe1), "utf-8"), "\\xB2\\xE1");
  assert.deepEqual(parseEscapes("a\u{1F600}", "gbk").fault, { id: "bytes.charset", at: 1, what: "\u{1F600}" });
});

test("escapes are the usual ones, and a wrong one is named", () => {
  assert.equal(toHex(parseEscapes("\\x02QPW\\x03\\r\\n\\t\\0\\\\", "utf-8").bytes), "02515057030D0A09005C");
  assert.deepEqual(parseEscapes("ab\\q", "utf-8").fault, { id: "bytes.escape", at: 2, what: "\\q" });
  assert.equal(parseEscapes("\\x1", "utf-8").fault?.id, "bytes.escape");
  assert.equal(showEscapes(bytesOf(0x5c, 0x78, 0x34, 0x31), "utf-8"), "\\\\x41");
});

test("what steers or hides is never shown as it is", () => {
  const evil = new TextEncoder().encode("\u202E\u200B\u2066\uFEFF\u0085");
  assert.match(showEscapes(evil, "utf-8"), /^(\\x[0-9A-F]{2})+$/);
});

test("full-width letters and digits become narrow, Chinese stays", () => {
  assert.equal(narrow("\uFF11\uFF12\uFF13\uFF0D\uFF21\u4E2D"), "123-A\u4E2D");
});

test("a sequence is found where it stands", () => {
  assert.equal(indexOfBytes(bytesOf(1, 1, 2, 3), bytesOf(1, 2)), 1);
  assert.equal(indexOfBytes(bytesOf(1, 2), bytesOf(2, 3)), -1);
  assert.equal(indexOfBytes(bytesOf(1, 2), bytesOf()), -1);
});

test("base64 and ASCII", () => {
  assert.deepEqual(fromBase64(Buffer.from(ALL).toString("base64")), ALL);
  assert.equal(asciiOf(bytesOf(0x41, 0, 0x7f, 0xff, 0x20)), "A\u00B7\u00B7\u00B7 ");
});
