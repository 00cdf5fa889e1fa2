import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { pieces, visible } from "../../../assets/visible.js";
import { EN } from "../../../assets/words-en.js";
import { SENTENCES } from "../../../assets/sentences-zh.js";
import { ZH } from "../../../assets/words-zh.js";

const ASSETS = new URL("../../../assets/", import.meta.url);
const sources = readdirSync(ASSETS)
  .filter((name) => name.endsWith(".js") && !name.startsWith("words-"))
  .map((name) => readFileSync(new URL(name, ASSETS), "utf8"))
  .join("\n");

test("both languages have the same ids, in the same order", () => {
  assert.deepEqual(Object.keys(ZH), Object.keys(EN));
});

test("both languages use the same values", () => {
  const values = (text) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((found) => found[1]))].sort();
  for (const id of Object.keys(EN)) {
    const inZh = values(ZH[id]);
    const inEn = values(EN[id]);
    // A plural of English may use a number that Chinese does not need.
    assert.ok(inZh.every((name) => inEn.includes(name)), `${id}: ${inZh} are not all in ${inEn}`);
    const shown = [...EN[id].matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
    assert.ok(shown.every((name) => inZh.includes(name)), `${id} does not show ${shown} in Chinese`);
  }
});

test("no word is empty, and each is translated", () => {
  const same = new Set(["APN", "HTTPD client", "URL", "?"]);
  for (const [id, text] of Object.entries(EN)) {
    assert.notEqual(text, "", id);
    assert.notEqual(ZH[id], "", id);
    const isName = same.has(text) || !/[a-z]{3}/i.test(text.replace(/\{[^}]*\}/g, ""));
    assert.ok(isName || /[\u4E00-\u9FFF]/.test(ZH[id]) || ZH[id].startsWith("HTTPD Client"), `${id} is not Chinese: ${ZH[id]}`);
  }
});

test("each id is used, and each that is used exists", () => {
  for (const id of Object.keys(EN)) {
    const family = /^(nav|unit|timer|group|block|field|choice|told|led|trial|apply|bytes|traffic)\./.test(id);
    assert.ok(family || sources.includes(`"${id}"`), `${id} is used nowhere`);
  }
  for (const [, id] of sources.matchAll(/\bt\(\s*"([^"]+)"/g)) {
    assert.ok(id in EN, `${id} does not exist`);
  }
});

test("texts from elsewhere show what they hide", () => {
  assert.deepEqual(pieces("a\u202Eb"), [["a", false], ["U+202E", true], ["b", false]]);
  assert.equal(visible("\u001B[31m\r\n\u0000"), "\\x1B[31m\\r\\n\\x00");
  assert.equal(visible("\uD800"), "U+D800");
  assert.equal(visible("\u4E2D\u6587 \u{1F600}"), "\u4E2D\u6587 \u{1F600}");
});

test("the page makes no markup from texts, and none of the modules has a style of its own", () => {
  assert.doesNotMatch(sources, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  assert.doesNotMatch(sources, /\bstyle\s*[:=]\s*["'`]/);
  const html = readFileSync(new URL("index.html", ASSETS), "utf8");
  assert.doesNotMatch(html, /\sstyle=|\son\w+=|<style|<script>/);
});

test("each sentence of the device keeps its values in Chinese, and stands in the table once", () => {
  const seen = new Set();
  for (const [english, chinese] of SENTENCES) {
    assert.ok(!seen.has(english), english);
    seen.add(english);
    const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
    assert.equal(new Set(names(english)).size, names(english).length, english);
    assert.ok(names(chinese).every((name) => names(english).includes(name)), english);
    // Some are names and values alone.
    assert.ok(/[\u4E00-\u9FFF]/.test(chinese) || /^HTTPD/.test(chinese) || !/[a-z]{3}/i.test(chinese.replace(/\{\w+\}/g, "")), english);
  }
});
