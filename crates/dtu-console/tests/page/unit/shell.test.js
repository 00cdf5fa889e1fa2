import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ASSETS = new URL("../../../assets/", import.meta.url);
/** The page loads these by itself, or never: `types.js` is for the checker. */
const OTHERS = ["app.js", "theme.js", "types.js"];

/** The head's script asks for those of the language. */
const IN_LANGUAGE = /-(en|zh)\.js$/;

test("the page asks for all its modules at once, not for each when another one imports it", () => {
  const page = readFileSync(new URL("index.html", ASSETS), "utf8");
  const asked = [...page.matchAll(/rel="modulepreload" href="assets\/([^"]+)"/g)].map(([, name]) => name);
  const modules = readdirSync(ASSETS).filter((name) => name.endsWith(".js") && !OTHERS.includes(name));
  assert.deepEqual(asked, modules.filter((name) => !IN_LANGUAGE.test(name)).sort());
  const script = readFileSync(new URL("theme.js", ASSETS), "utf8");
  const names = [...script.matchAll(/"([\w-]+\.js)"/g)].map(([, name]) => name);
  assert.deepEqual(names.sort(), modules.filter((name) => IN_LANGUAGE.test(name)).sort());
});
