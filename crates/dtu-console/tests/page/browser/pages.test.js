// Every page, in both languages and themes, quiet and live, with a stranger's bytes, wide and narrow.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Mock } from "../mock.js";
import { axe, begin, check, end, firstPaint, fits, tab, visit } from "./tab.js";

const PAGES = ["overview", "settings", "traffic", "at", "phone", "log"];
const LANGUAGES = ["en", "zh"];
const THEMES = ["light", "dark"];

before(begin);
after(end);

describe("axe finds nothing", { concurrency: 3 }, () => {
  for (const language of LANGUAGES) {
    for (const theme of THEMES) {
      test(`live, then lost, ${language} ${theme}`, async () => {
        const own = await tab({ language, theme });
        for (const page of PAGES) {
          await visit(own, page);
          await axe(own, `${page} live`);
          assert.match(await own.title(), language === "zh" ? /[\u4E00-\u9FFF].* · DTU$/ : /^[\w ]+ · DTU$/);
        }
        assert.equal(await own.evaluate(() => document.documentElement.lang), language === "zh" ? "zh-CN" : "en");
        own.mock.die();
        await own.waitForSelector(".banner.bad:not([hidden])");
        for (const page of PAGES) {
          await visit(own, page);
          await axe(own, `${page} lost`);
        }
        await own.finish();
      });
    }
  }
  for (const language of LANGUAGES) {
    for (const theme of THEMES) {
      test(`quiet, and in a dialog, ${language} ${theme}`, async () => {
        const own = await tab({ language, theme, mock: { quiet: true } });
        for (const page of PAGES) {
          await visit(own, page);
          await axe(own, `${page} quiet`);
        }
        await own.evaluate(() => {
          location.hash = "settings";
        });
        await own.fill("[data-key=\"CIPCFG.HEAT\"] input", "7");
        await own.click(".changebar .primary");
        await own.waitForSelector("dialog[open]");
        await axe(own, "review");
        await own.click("dialog .primary");
        await own.waitForSelector(".banner.trial:not([hidden])");
        // A banner that stays in sight lies over some field wherever one has scrolled to.
        await own.evaluate(() => window.scrollTo(0, 0));
        await axe(own, "trial");
        await own.finish();
      });
    }
  }
  for (const [name, mock] of Object.entries({ viewer: { who: "viewer" }, still: { live: false, confirm: false, radio: "none" } })) {
    test(`every page ${name}`, async () => {
      const own = await tab({ mock });
      for (const page of PAGES) {
        await visit(own, page);
        await axe(own, `${page} ${name}`);
      }
      await own.finish();
    });
  }
});

describe("a stranger's bytes do nothing", { concurrency: 3 }, () => {
  for (const page of PAGES) {
    test(page, async () => {
      const own = await tab({ page, mock: { hostile: true }, width: 375 });
      await own.waitForTimeout(900);
      if (page === "at") {
        await own.fill("input[role=combobox]", "AT+EVIL");
        await own.keyboard.press("Enter");
        await own.waitForSelector(".answer");
      }
      const seen = await own.evaluate(() => document.body.innerText);
      assert.ok(!seen.includes("\u202E"), "a mark of direction is in the page");
      if (page !== "settings") {
        assert.ok(seen.includes("U+202E") || seen.includes("\\xE2\\x80\\xAE") || page === "traffic", "it is shown by its number");
        assert.ok(seen.includes("<img src=x") || page === "traffic", "it is shown as text");
      }
      assert.equal(await own.locator("main img, main script, header img").count(), 0);
      await fits(own, page);
      await axe(own, page);
      await own.finish();
    });
  }

  test("in a dialog and a notice", async () => {
    const own = await tab({ page: "settings", mock: { hostile: true } });
    await own.fill("[data-key=\"CIPNUM\"] input", "<img src=x onerror=\"window.broken=1\">\u202E");
    await own.click(".changebar .primary");
    await own.waitForSelector("dialog[open]");
    assert.ok((await own.locator("dialog").innerText()).includes("U+202E"));
    await axe(own, "dialog");
    await own.finish();
  });
});

test("the fingerprint of a self-made certificate is on the overview, and of no other", async () => {
  const fingerprint = Array.from({ length: 32 }, (_, at) => (at * 7 + 16).toString(16).toUpperCase()).join(":");
  for (const told of [fingerprint, null]) {
    const own = await tab({ width: 320, mock: { fingerprint: told } });
    await own.waitForSelector(".link");
    const place = own.locator("dt", { hasText: "Certificate (SHA-256)" }).locator("xpath=../dd");
    assert.equal(await place.isVisible(), told !== null);
    assert.equal(await place.textContent(), told ?? "");
    await fits(own);
    await own.finish();
  }
});

test("under a prefix, as behind nginx", async () => {
  const own = await tab({ page: "traffic", mock: { base: "/box/1/" } });
  await own.waitForSelector(".rows > li");
  await own.finish();
});

describe("nothing is wider than a small window", { concurrency: 3 }, () => {
  test("at 200 %", async () => {
    // A window of 1280 pixels has 640 then.
    const own = await tab({ width: 640, height: 400 });
    for (const page of PAGES) {
      await visit(own, page);
      await fits(own, page);
    }
    await own.finish();
  });

  for (const page of PAGES) {
    test(page, async () => {
      for (const language of LANGUAGES) {
        const own = await tab({ page, language, width: 320, height: 640 });
        await own.waitForTimeout(600);
        await fits(own, `${page} ${language} 320`);
        if (page === "settings") {
          await own.locator(".toolbar .tick input").check();
          await own.waitForSelector("[data-key=\"CIROLE.1\"]");
          await fits(own, "full display");
          await own.fill("[data-key=\"CIPCFG.HEAT\"] input", "5");
          await own.click(".changebar .primary");
          await own.waitForSelector("dialog[open]");
          await fits(own, "dialog");
        }
        await own.finish();
      }
    });
  }
});

for (const [locale, title, others] of [["en-GB", "Overview", "zh"], ["zh-CN", "概览", "en"]]) {
  test(`the page is small, and everything comes from its own place, nothing for another language: ${locale}`, () => isSmall(locale, title, others));
}

async function isSmall(locale, title, others) {
  const own = await tab();
  const context = own.context();
  const cold = await context.browser().newContext({ locale });
  const fresh = await cold.newPage();
  let bytes = 0;
  const strangers = [];
  const asked = [];
  const client = await cold.newCDPSession(fresh);
  await client.send("Network.enable");
  client.on("Network.loadingFinished", (event) => {
    bytes += event.encodedDataLength;
  });
  client.on("Network.requestWillBeSent", (event) => {
    asked.push(event.request.url.split("/").at(-1));
    if (!event.request.url.startsWith(own.mock.url)) {
      strangers.push(event.request.url);
    }
  });
  await fresh.goto(own.mock.url);
  await fresh.waitForSelector(".link");
  await fresh.waitForTimeout(1500);
  assert.equal(await fresh.locator("h1").innerText(), title);
  assert.deepEqual(strangers, []);
  assert.equal(new Set(asked).size, asked.length, "nothing is fetched twice");
  assert.deepEqual(asked.filter((name) => name.endsWith(`-${others}.js`)), []);
  assert.ok(bytes > 20_000 && bytes <= 150 * 1024, `${bytes} bytes`);
  console.log(`# cold, ${locale}: ${bytes} bytes`);
  await cold.close();
  await own.finish();
}

test("another language that cannot be had leaves the page as it is", async () => {
  const own = await tab();
  await own.route(/-zh\.js$/, (route) => route.abort());
  const languages = own.locator(".choices select").first();
  await languages.selectOption("zh");
  await own.waitForSelector(".notice");
  assert.equal(await own.locator("h1").innerText(), "Overview");
  assert.equal(await languages.inputValue(), "en");
  assert.equal(await own.evaluate(() => document.documentElement.lang), "en");
  await own.finish();
});

test("the first paint waits for no module and no answer", async () => {
  const mock = await new Mock({}).listen();
  const { text, held } = await firstPaint(mock.url);
  assert.equal(text, "DTU");
  assert.ok(held > 10, `${held} were asked for`);
  await mock.close();
});

test("theme and language stand before the first paint, by choice and by the browser", async () => {
  const own = await tab({ theme: "dark", language: "zh" });
  const ground = () => own.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  // As the browser has it now.
  await own.emulateMedia({ colorScheme: "light" });
  await own.waitForSelector("html[data-theme=light]");
  assert.notEqual(await ground(), dark);
  await own.emulateMedia({ colorScheme: "dark" });
  await own.waitForSelector("html[data-theme=dark]");
  assert.equal(await ground(), dark);
  await own.locator(".choices select").nth(1).selectOption("light");
  assert.notEqual(await ground(), dark);
  await own.locator(".choices select").first().selectOption("en");
  // Its words come first.
  await own.waitForSelector("html[lang=en]");
  assert.equal(await own.locator("h1").innerText(), "Overview");
  await own.reload();
  await own.waitForSelector("h1");
  assert.equal(await own.locator("h1").innerText(), "Overview");
  assert.notEqual(await ground(), dark);
  // The head's script is what sets it, so it holds before any module ran.
  const first = await own.evaluate(async () => (await fetch("./")).text());
  assert.ok(first.indexOf("theme.js") < first.indexOf("app.css"));
  const other = await own.context().browser().newContext({ locale: "fr-FR" });
  await other.addInitScript(() => Object.defineProperty(navigator, "languages", { value: ["fr-FR", "zh-HK", "en"] }));
  const french = await other.newPage();
  await french.goto(own.mock.url);
  await french.waitForSelector("h1");
  assert.equal(await french.evaluate(() => document.documentElement.lang), "zh-CN");
  await other.close();
  await check(own);
  await own.finish();
});

test("by keyboard alone: every page, every control in sight", async () => {
  const own = await tab({ mock: { quiet: true } });
  await own.keyboard.press("Tab");
  assert.equal(await own.evaluate(() => document.activeElement?.className), "skip");
  await own.keyboard.press("Enter");
  assert.equal(await own.evaluate(() => document.activeElement?.id), "main");
  for (const page of PAGES) {
    await own.locator(`nav.pages a[data-page=${page}]`).focus();
    await own.keyboard.press("Enter");
    await own.waitForTimeout(300);
    assert.equal(await own.evaluate(() => document.activeElement?.tagName), "H1", page);
    const all = await own.evaluate(() => {
      const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0;
      return [...document.querySelectorAll("main :is(a[href], button, input, select, textarea, summary, [tabindex='0'])")].filter(isSeen).length;
    });
    const seen = new Set();
    for (let step = 0; step < all + 2; step += 1) {
      await own.keyboard.press("Tab");
      const at = await own.evaluate(() => {
        const element = document.activeElement;
        if (!element || !element.closest("main")) {
          return null;
        }
        element.dataset.walked ??= String(Math.random());
        const box = element.getBoundingClientRect();
        const outline = getComputedStyle(element).outlineStyle;
        return { id: element.dataset.walked, isIn: box.bottom > 0 && box.top < window.innerHeight, outline, what: element.outerHTML.slice(0, 80) };
      });
      if (at === null) {
        break;
      }
      assert.ok(at.isIn, `${page}: ${at.what} is out of sight`);
      assert.notEqual(at.outline, "none", `${page}: ${at.what} shows no focus`);
      seen.add(at.id);
    }
    assert.ok(seen.size >= all, `${page}: ${seen.size} of ${all} controls are reached`);
  }
  await own.finish();
});

test("what is not stored is counted on every page, at every width, until it is stored", async () => {
  for (const width of [320, 1280]) {
    const own = await tab({ width, mock: { quiet: true } });
    const chip = own.locator(".head .chip");
    await chip.waitFor({ state: "hidden" });
    const heat = own.mock.values.get("CIPCFG.HEAT");
    heat.running = "61";
    own.mock.values.get("CIPNUM").running = "222";
    for (const page of PAGES) {
      await own.click(`.pages a[data-page="${page}"]`);
      await own.waitForSelector(`.pages a[data-page="${page}"][aria-current=page]`);
      await chip.waitFor({ state: "visible" });
      assert.equal(await chip.innerText(), "2 not stored", `${page}, ${width}`);
      const box = await chip.boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width && box.y >= 0, `${page}, ${width}: ${JSON.stringify(box)}`);
    }
    heat.running = heat.stored;
    await own.waitForSelector(".head .chip:has-text('1 not stored')");
    own.mock.values.get("CIPNUM").running = own.mock.values.get("CIPNUM").stored;
    await chip.waitFor({ state: "hidden" });
    await own.finish();
  }
});

test("the DATA lamp blinks at most twice a second, and not where motion is unwelcome", async () => {
  const own = await tab();
  await own.waitForSelector("dtu-led[name=DATA][state=busy]");
  const blink = () => own.evaluate(() => getComputedStyle(document.querySelector("dtu-led[name=DATA] .led-lamp")).animation);
  const seconds = Number(/([\d.]+)s/.exec(await blink())?.[1]);
  assert.ok(seconds >= 0.5, `one blink in ${seconds} s`);
  await own.emulateMedia({ reducedMotion: "reduce" });
  assert.match(await blink(), /none/);
  assert.equal(await own.locator("dtu-led[name=DATA] .led-word").innerText(), "data");
  await own.finish();
});

test("a box that tells no counters and no mode: no figure is made up, and each watcher hears of it", async () => {
  for (const language of ["en", "zh"]) {
    const own = await tab({ language, mock: { live: false, radio: "real", bare: true } });
    const lamp = own.locator("dtu-led[name=POW]");
    await own.waitForSelector("dtu-led[name=POW][state=on]");
    assert.equal(await lamp.getAttribute("state"), "on");
    const text = await own.locator("main").innerText();
    assert.doesNotMatch(text, /null|NaN|undefined/);
    const losses = await own.locator(".losses-head").innerText();
    assert.doesNotMatch(losses, /\d/);
    assert.notEqual(losses, "");
    const card = own.locator("main section.card.link").first();
    for (const value of await card.locator("dd").allInnerTexts()) {
      assert.equal(value, "\u2013");
    }
    assert.equal(await own.locator(".head .chip").isVisible(), false);
    await axe(own, "bare");
    // Each page bears it.
    await own.click(".pages a[data-page=settings]");
    await own.waitForSelector(".field");
    await own.finish();
  }
});

test("a line with a secret is not kept in the browser, wherever the secret stands", async () => {
  const own = await tab({ page: "at", mock: { quiet: true } });
  const box = own.locator("input[role=combobox]");
  for (const line of ["AT+CSQ;+CIPSW=pass1", "pass1,AT+CSQ", "AT+CIPSW=pass1", "AT+CINET?"]) {
    await box.fill(line);
    await box.press("Enter");
    await own.waitForSelector(`.transcript li:has-text(${JSON.stringify(line)}) .answer`);
  }
  const stores = await own.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  assert.match(stores, /AT\+CINET\?/);
  assert.doesNotMatch(stores, /pass1/);
  await box.press("ArrowUp");
  assert.equal(await box.inputValue(), "AT+CINET?");
  await own.finish();
});

test("no signal is told from a signal that nobody knows", async () => {
  for (const [language, none, unknown] of [["en", "no signal", "not known"], ["zh", "\u65E0\u4FE1\u53F7", "\u672A\u77E5"]]) {
    const own = await tab({ language });
    const is = (text) => own.waitForFunction((wanted) => document.querySelector(".signal")?.textContent === wanted, text);
    await is("\u221263 dBm");
    own.mock.radio = { signal_dbm: null, signal: "none" };
    await is(none);
    own.mock.radio = { signal_dbm: null, signal: "unknown" };
    await is(unknown);
    await own.finish();
  }
});
