// A tab on a mock console; what it complains about fails the test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { launch } from "../chromium.js";
import { Mock } from "../mock.js";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];

let browser;

export async function begin() {
  browser ??= await launch();
}

export async function end() {
  await browser?.close();
  browser = undefined;
}

/**
 * @param {{page?: string, language?: string, theme?: string, width?: number, height?: number, mock?: object, wait?: boolean, context?: object}} options
 */
export async function tab(options = {}) {
  const { page = "overview", language = "en", theme = "light", width = 1280, height = 800 } = options;
  const mock = await new Mock(options.mock).listen();
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language === "zh" ? "zh-CN" : "en-GB",
    colorScheme: theme,
    ...options.context,
  });
  const own = await watched(context, `${mock.url}#${page}`);
  if (page === "settings") {
    await own.waitForSelector(".field, .empty");
  }
  own.mock = mock;
  own.finish = async () => {
    await check(own);
    await context.close();
    await mock.close();
  };
  return own;
}

/** A tab on a console that is there already. */
export async function open(url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  const own = await watched(context, url);
  own.finish = async () => {
    await check(own);
    await context.close();
  };
  return own;
}

/** What is to be seen at the first paint with content, with an empty cache, while every module and answer is held back. */
export async function firstPaint(url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const own = await context.newPage();
  const held = [];
  await own.route(/\/api\/|(?<!theme)\.js$/, (route) => held.push(route));
  await own.goto(url, { waitUntil: "commit" });
  const text = await own.evaluate(
    () =>
      new Promise((resolve) => {
        new window.PerformanceObserver((list) => {
          if (list.getEntriesByName("first-contentful-paint").length > 0) {
            resolve(document.body.innerText.trim());
          }
        }).observe({ type: "paint", buffered: true });
      }),
  );
  await context.close();
  return { text, held: held.length };
}

async function watched(context, url) {
  const complaints = [];
  await context.addInitScript(() => {
    window.policy = [];
    document.addEventListener("securitypolicyviolation", (event) => window.policy.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const own = await context.newPage();
  own.on("pageerror", (error) => complaints.push(error.stack));
  own.on("console", (message) => {
    // A request that fails on purpose is a line of the browser's own.
    if (message.type() === "error" && !/Failed to load resource|ERR_/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  await own.goto(url);
  await own.waitForSelector("h1");
  own.complaints = complaints;
  return own;
}

/** Waits for what the mock sees. @param {() => boolean} look */
export async function until(what, look) {
  const end = Date.now() + 15_000;
  while (!look()) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Another page of the same tab, as a link would open it. */
export async function visit(own, page) {
  await own.evaluate((to) => {
    location.hash = to;
  }, page);
  await own.waitForTimeout(350);
}

/** Neither a fault, nor something that the policy refused, nor a script of a stranger. */
export async function check(own) {
  assert.deepEqual(own.complaints, []);
  assert.deepEqual(await own.evaluate(() => window.policy), []);
  assert.equal(await own.evaluate(() => window.broken), undefined);
}

/** What axe finds. The page's policy forbids scripts of strangers, so axe comes by the debugger. */
export async function axe(own, where = "") {
  const found = await own.evaluate(
    async ([source, tags]) => {
      if (!window.axe) {
        // eslint-disable-next-line no-eval
        (0, window.eval)(source);
      }
      const results = await window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
      return results.violations.map((it) => `${it.id} x ${it.nodes.length}: ${it.nodes[0].target.join(" ")} ${it.nodes[0].failureSummary}`);
    },
    [AXE, TAGS],
  );
  assert.deepEqual(found, [], where);
}

/** Nothing is wider than the window. */
export async function fits(own, where = "") {
  const wide = await own.evaluate(() => {
    const room = document.documentElement.clientWidth;
    const over = [...document.querySelectorAll("body *")].filter((element) => {
      const box = element.getBoundingClientRect();
      const isInScroller = element.closest(".scroller, .table-box, .code, .offers, .unseen, .skip, .device-name");
      return box.width > 0 && box.right > room + 1 && !isInScroller;
    });
    return { page: document.documentElement.scrollWidth - room, over: over.slice(0, 5).map((it) => `${it.tagName}.${it.className}`) };
  });
  assert.deepEqual(wide, { page: 0, over: [] }, where);
}
