// What comes by itself: traffic, log, messages; and who may see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, begin, end, fits, tab, until } from "./tab.js";

before(begin);
after(end);

const rows = (own) => own.locator(".rows > li").count();
const foot = (own) => own.locator(".list-state").innerText();

test("rows come, and the list follows them until one scrolls up", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true } });
  await own.waitForSelector(".scroller .empty");
  for (let n = 0; n < 120; n += 1) {
    own.mock.row({ of: "line", dir: "in", bytes: Buffer.from(`reading ${n}\r\n`), note: "cut by TIME: silence" });
  }
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 120);
  const isAtEnd = () => own.evaluate(() => {
    const box = document.querySelector(".scroller");
    return box.scrollHeight - box.scrollTop - box.clientHeight < 8;
  });
  assert.ok(await isAtEnd());
  assert.match(await own.locator(".rows > li").last().innerText(), /Line\s*→ in\s*13 B/);
  await own.locator(".scroller").hover();
  await own.mouse.wheel(0, -600);
  await own.waitForSelector(".follow:not([hidden])");
  const top = await own.evaluate(() => document.querySelector(".scroller").scrollTop);
  for (let n = 0; n < 10; n += 1) {
    own.mock.row({ of: "line", dir: "in", bytes: Buffer.from("more") });
  }
  await own.waitForSelector("text=10 newer rows");
  assert.equal(await own.evaluate(() => document.querySelector(".scroller").scrollTop), top);
  await own.click(".follow");
  assert.ok(await isAtEnd());
  await own.waitForSelector(".follow", { state: "hidden" });
  await own.finish();
});

test("a flood leaves few elements, counts what it skipped, and does not freeze the tab", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true } });
  await own.waitForSelector(".scroller");
  await own.waitForTimeout(300);
  await own.evaluate(() => {
    window.longest = 0;
    window.most = 0;
    window.batches = [];
    let last = performance.now();
    const look = () => {
      const now = performance.now();
      window.longest = Math.max(window.longest, now - last);
      window.most = Math.max(window.most, document.querySelectorAll(".rows > li").length);
      last = now;
      requestAnimationFrame(look);
    };
    look();
    new window.MutationObserver(() => window.batches.push(performance.now())).observe(document.querySelector(".rows"), { childList: true });
  });
  for (let n = 0; n < 30; n += 1) {
    own.mock.flood(1000, 1024 * 1024);
    await own.waitForTimeout(50);
  }
  own.mock.seq += 12_345;
  own.mock.flood(1);
  await own.waitForSelector("text=12\u202F345 missing here");
  const seen = await own.evaluate(() => ({ longest: window.longest, most: window.most, batches: window.batches }));
  assert.ok(seen.most <= 300, `${seen.most} rows`);
  assert.ok(seen.longest < 1500, `the tab stood for ${seen.longest} ms`);
  const seconds = (seen.batches.at(-1) - seen.batches[0]) / 1000;
  assert.ok(seen.batches.length <= 10.5 * Math.max(1, seconds) + 2, `${seen.batches.length} batches in ${seconds} s`);
  const skipped = Number(/([\d\u202F]+) skipped/.exec(await foot(own))[1].replace(/\u202F/g, ""));
  assert.ok(skipped > 12_345 + 10_000, String(skipped));
  await own.locator("button", { hasText: /^Clear$/ }).click();
  assert.equal(await rows(own), 0);
  await own.finish();
});

test("pause, filter, view, and search over the whole recorder", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true } });
  own.mock.row({ of: "link1", dir: "in", bytes: Buffer.from("\u0002NEEDLE\u0003") });
  for (let n = 0; n < 1500; n += 1) {
    own.mock.row({ of: n % 2 ? "link2" : "line", dir: "in", bytes: Buffer.from(`row ${n}`) });
  }
  await own.reload();
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 200);
  await own.fill("input[type=search]", "\\x02NEED");
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=1 of 1");
  assert.match(await own.locator(".rows .current").innerText(), /02 4E 45 45 44 4C 45 03\s+·NEEDLE·/);
  assert.ok((await rows(own)) <= 300);
  await own.fill("input[type=search]", "4e 45 45");
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=1 of 1");
  await own.fill("input[type=search]", "nothing of that");
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=not found");
  await own.locator("label", { hasText: /^Of$/ }).locator("..").locator("select").selectOption("link1");
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 1);
  await own.locator("label", { hasText: /^View$/ }).locator("..").locator("select").first().selectOption("text");
  assert.match(await own.locator(".row-data").innerText(), /^\\x02NEEDLE\\x03$/);
  await own.locator("label", { hasText: /^View$/ }).locator("..").locator("select").first().selectOption("hex");
  assert.match(await own.locator(".rows > li").innerText(), /\d\d:\d\d:\d\d\.\d{3}[\s\S]*02 4E 45/);
  await own.locator("button", { hasText: /^Pause$/ }).click();
  own.mock.row({ of: "link1", dir: "out", bytes: Buffer.from("later") });
  await own.waitForTimeout(400);
  assert.equal(await rows(own), 1);
  await own.locator("button", { hasText: /^Go on$/ }).click();
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 2);
  await own.finish();
});

test("copy works, also where the browser has no clipboard for the page", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true }, context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await own.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true }));
  own.mock.row({ of: "link1", dir: "out", bytes: Buffer.from("copied") });
  await own.waitForSelector(".rows > li");
  await own.locator("button", { hasText: /^Copy$/ }).click();
  await own.waitForSelector("text=1 row copied.");
  const other = await own.context().newPage();
  await other.goto(own.mock.url);
  await other.bringToFront();
  const text = await other.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}link1 {2}out {2}6 {2}63 6F 70 69 65 64$/);
  await own.finish();
});

test("copy takes the whole recorder, not what the page has loaded", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true }, context: { permissions: ["clipboard-read", "clipboard-write"] } });
  for (let n = 0; n < 2500; n += 1) {
    own.mock.row({ of: n % 2 ? "link2" : "line", bytes: Buffer.from([n >> 8, n & 255]) });
  }
  await own.reload();
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 200);
  await own.locator("button", { hasText: /^Copy$/ }).click();
  await own.waitForSelector("text=2500 rows copied.");
  const lines = (await own.evaluate(() => navigator.clipboard.readText())).split("\n");
  const bytes = lines.map((line) => line.slice(-5));
  const wanted = Array.from({ length: 2500 }, (_, n) => [n >> 8, n & 255].map((it) => it.toString(16).toUpperCase().padStart(2, "0")).join(" "));
  assert.deepEqual(bytes, wanted);
  assert.ok((await rows(own)) <= 300);
  await own.finish();
});

test("bytes are put in: direction, escapes, hex and line end", async () => {
  const own = await tab({ page: "traffic" });
  const form = own.locator(".inject");
  const [to, as, lineEnd] = [0, 1, 2].map((at) => form.locator("select").nth(at));
  await form.locator("input").fill("\\x02QPW\\x03");
  await lineEnd.selectOption("0D0A");
  assert.match(await form.innerText(), /7 B/);
  await form.locator("button").click();
  await own.waitForSelector(".row.injected");
  await as.selectOption("hex");
  assert.equal(await form.locator("input").inputValue(), "02 51 50 57 03");
  await to.selectOption("link1");
  await lineEnd.selectOption("");
  await form.locator("input").fill("0x31 31:3");
  await form.locator("button").click();
  assert.match(await form.innerText(), /half a byte/);
  await form.locator("input").fill("0x31 31:31");
  await form.locator("button").click();
  const injected = () => own.mock.calls.filter((call) => call.path === "api/inject").map((call) => JSON.parse(call.body));
  await until("both to be sent", () => injected().length >= 2);
  const sent = injected();
  assert.deepEqual(sent, [
    { to: "line", from: "dte", data_hex: "02515057030D0A" },
    { to: "link1", from: "peer", data_hex: "313131" },
  ]);
  const [download] = await Promise.all([own.waitForEvent("download"), own.locator("a", { hasText: "pcapng" }).click()]);
  assert.equal(download.suggestedFilename(), "traffic.pcapng");
  await own.finish();
});

test("one stream a tab, closed while hidden, and what was missed comes after", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true } });
  own.mock.row({ of: "line", bytes: Buffer.from("first") });
  await own.waitForSelector(".rows > li");
  assert.equal(own.mock.streams.size, 1);
  const hide = (isHidden) => own.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new window.Event("visibilitychange"));
  }, isHidden);
  await hide(true);
  await until("the stream to end", () => own.mock.streams.size === 0);
  own.mock.row({ of: "line", bytes: Buffer.from("unseen") });
  await hide(false);
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 2);
  for (const page of ["log", "overview", "settings", "traffic"]) {
    await own.evaluate((to) => {
      location.hash = to;
    }, page);
    await own.waitForFunction((name) => document.querySelector(`nav a[href="#${name}"][aria-current]`), page);
    await until(`one stream on ${page}`, () => own.mock.streams.size === 1);
  }
  await own.finish();
});

test("a lost connection: since when, grey values, still countdowns; then all is well again", async () => {
  const own = await tab();
  await own.waitForSelector(".pill[data-kind=good]");
  own.mock.die();
  await own.waitForSelector(".banner.bad:not([hidden])");
  await own.waitForFunction(() => document.querySelector(".link-timer dtu-countdown").textContent === "–:––");
  assert.match(await own.locator(".facts dd").first().evaluate((it) => getComputedStyle(it).filter), /grayscale/);
  await fits(own);
  own.mock.version = "0.9.1";
  own.mock.revive();
  await own.waitForSelector(".banner.bad", { state: "hidden", timeout: 15_000 });
  await own.waitForSelector("#upgrade:not([hidden])");
  await axe(own, "upgraded");
  await own.finish();
});

test("a new version under an open tab: a note, and the draft is kept, also by the reload", async () => {
  const own = await tab({ page: "settings" });
  const heat = own.locator("[data-key=\"CIPCFG.HEAT\"] input").first();
  await heat.fill("77");
  own.mock.die();
  await own.waitForSelector(".banner.bad:not([hidden])");
  assert.equal(await heat.inputValue(), "77");
  own.mock.version = "0.9.1";
  own.mock.csrf = "token-2";
  own.mock.revive();
  await own.waitForSelector("#upgrade:not([hidden])", { timeout: 15_000 });
  assert.equal(await heat.inputValue(), "77");
  await own.click("#upgrade button");
  await own.waitForSelector(".field");
  await own.waitForFunction(() => document.querySelector("[data-key=\"CIPCFG.HEAT\"] input").value === "77");
  assert.ok(await own.locator("#upgrade").isHidden());
  await own.finish();
});

test("ten tabs work: those that nobody sees hold no connection", async () => {
  const own = await tab();
  // No tab of a headless browser is ever hidden by itself.
  const hide = (page, isHidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new window.Event("visibilitychange"));
  }, isHidden);
  const tabs = [own];
  for (let n = 1; n < 10; n += 1) {
    await hide(tabs.at(-1), true);
    const next = await own.context().newPage();
    await next.goto(`${own.mock.url}#traffic`);
    await next.waitForSelector(".rows > li");
    tabs.push(next);
  }
  await hide(tabs.at(-1), true);
  await hide(own, false);
  await own.waitForFunction(() => document.documentElement.dataset.connection !== "lost" && document.querySelector(".link .pill[data-kind=good]"));
  await until("one stream for ten tabs", () => own.mock.streams.size === 1);
  await own.finish();
});

test("log lines that the console left out are counted, in their place", async () => {
  const own = await tab({ page: "log" });
  own.mock.say("INFO", "link1", "link 1: before");
  await own.waitForSelector("text=link 1: before");
  own.mock.lineSeq += 4321;
  own.mock.say("INFO", "link1", "link 1: behind");
  await own.waitForFunction(() => /4\u202F321 skipped/.test(document.querySelector(".list-state").textContent));
  const texts = await own.locator(".row-text").allInnerTexts();
  assert.deepEqual(texts.slice(-3), ["link 1: before", "4\u202F321 missing here: more came than this page could take", "link 1: behind"]);
  await own.finish();
});

for (const page of ["traffic", "log"]) {
  test(`a device that was started anew is followed on: ${page}`, async () => {
    const own = await tab({ page, mock: { quiet: true } });
    const say = (text) => (page === "log" ? own.mock.say("INFO", "line", text) : own.mock.row({ of: "line", kind: "event", note: text }));
    await own.waitForTimeout(300);
    const before = await own.locator(".rows > li").count();
    for (let n = 0; n < 40; n += 1) {
      say(`old ${n}`);
    }
    await own.waitForSelector("text=old 39");
    own.mock.die();
    own.mock.restart();
    say("power on");
    own.mock.revive();
    await own.waitForSelector("text=power on");
    say("and on");
    await own.waitForSelector("text=and on");
    assert.equal(await rows(own), before + 42);
    assert.doesNotMatch(await foot(own), /skipped/);
    await own.finish();
  });
}

test("what comes while older rows are on their way is not lost, and what is, is counted", async () => {
  const own = await tab({ page: "traffic", mock: { quiet: true } });
  const say = (text) => own.mock.row({ of: "line", kind: "event", note: text });
  say("first");
  await own.waitForSelector("text=first");
  own.mock.die();
  for (let n = 0; n < 2500; n += 1) {
    say(`unseen ${n}`);
  }
  own.mock.slow = 700;
  own.mock.revive();
  await until("older rows to be asked for", () => own.mock.waiting > 0);
  say("meanwhile");
  await own.waitForSelector("text=meanwhile");
  // The newest thousand were fetched; the other 1500 are a gap, and a row of its own.
  const there = await own.evaluate(() => document.querySelector(".list-state").textContent.replace(/\u202F/g, ""));
  assert.match(there, /^1003 rows/);
  assert.ok(Number(/(\d+) skipped/.exec(there)[1]) >= 1500, there);
  await own.finish();
});

test("live rows are no live region; their sums are announced", async () => {
  const own = await tab({ page: "traffic" });
  await own.waitForTimeout(500);
  assert.equal(await own.locator(".scroller [aria-live], .scroller[aria-live], .scroller [role=log], .scroller[role=log]").count(), 0);
  await own.waitForFunction(() => /\d+ frames, /.test(document.querySelector("[role=status].unseen").textContent), null, { timeout: 12_000 });
  await own.finish();
});

test("the page waits as long as the console says that it takes, and no longer", async () => {
  const own = await tab({ page: "at", mock: { patience: 1 } });
  const began = Date.now();
  await own.fill("input[role=combobox]", "AT+SILENT");
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=no answer", { timeout: 20_000 });
  const took = Date.now() - began;
  assert.ok(took >= 1000 && took < 15_000, `${took} ms`);
  await own.finish();
});

/** Timeouts of requests pass 100 times as fast, and are noted. */
function hurry() {
  const timeout = window.AbortSignal.timeout.bind(window.AbortSignal);
  window.waits = [];
  window.AbortSignal.timeout = (ms) => {
    window.waits.push(ms);
    return timeout(ms / 100);
  };
}

const waits = async (own) => [...new Set(await own.evaluate(() => window.waits))];

test("an answer that is lost costs half a minute, not all that a command may take", async () => {
  const own = await tab();
  await own.evaluate(hurry);
  own.mock.swallowed.add("api/session");
  own.mock.die();
  await own.waitForSelector(".banner.bad:not([hidden])");
  own.mock.revive();
  await own.waitForSelector(".banner.bad", { state: "hidden", timeout: 20_000 });
  assert.equal(own.mock.swallowed.size, 0);
  assert.deepEqual(await waits(own), [30_000]);
  await own.finish();
});

test("a lost answer of Keep is asked for again while the trial lasts", async () => {
  const own = await tab();
  own.mock.trial = { id: 7, until: Date.now() + 120_000, keys: ["CIPCFG.TIME"] };
  await own.waitForSelector(".banner.trial:not([hidden])");
  await own.evaluate(hurry);
  own.mock.swallowed.add("api/keep");
  await own.click(".banner.trial .primary");
  await own.waitForSelector("text=Kept and stored.", { timeout: 20_000 });
  assert.deepEqual(await waits(own), [60_000]);
  assert.deepEqual(own.mock.calls.filter((it) => it.path === "api/keep").map((it) => it.body), ["{\"id\":7}", "{\"id\":7}"]);
  await own.waitForSelector(".banner.trial", { state: "hidden" });
  await own.finish();
});

test("AT: completion by keyboard, help, history; an input method's Enter sends nothing", async () => {
  const own = await tab({ page: "at" });
  const box = own.locator("input[role=combobox]");
  await box.fill("csq");
  await own.waitForSelector("[role=option]");
  await own.keyboard.press("ArrowDown");
  assert.match(await own.locator("[role=option][aria-selected=true]").innerText(), /AT\+CSQ/);
  await axe(own, "list open");
  await own.keyboard.press("Tab");
  assert.equal(await box.inputValue(), "AT+CSQ");
  assert.match(await own.locator(".help").innerText(), /Signal strength[\s\S]*Example/);
  await own.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true })));
  assert.equal(await own.locator(".answer").count(), 0);
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=+CSQ: 25, 0");
  await own.keyboard.press("ArrowUp");
  assert.equal(await box.inputValue(), "AT+CSQ");
  await box.fill("nonsense");
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=unknown command");
  await box.fill("AT+CIPSW=abcde");
  await own.keyboard.press("Enter");
  await own.waitForFunction(() => document.querySelectorAll(".answer").length === 3);
  assert.ok(!(await own.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes("abcde"));
  await own.finish();
});

test("AT: the list of commands names its subjects in the language of the page", async () => {
  for (const [language, subject] of [["en", "STATUS"], ["zh", "流量与丢失计数"]]) {
    const own = await tab({ page: "at", language });
    await own.waitForSelector(`summary:has-text("${subject}")`);
    await own.finish();
  }
});

test("the simulated phone: a text, a call", async () => {
  const own = await tab({ page: "phone" });
  await own.fill("textarea", "hello\u4F60\u597D");
  await own.keyboard.press("Enter");
  await own.waitForSelector(".bubble:has-text('hello')");
  await own.locator("button", { hasText: "Call the device" }).click();
  await own.waitForSelector(".call .pill");
  await own.locator("button", { hasText: "Hang up" }).click();
  await own.waitForSelector(".call .pill", { state: "detached" });
  assert.deepEqual(own.mock.calls.map((call) => call.path), ["api/sms", "api/call", "api/hangup"]);
  await own.finish();
});

test("the log in Chinese: what has no Chinese stays English, and says so", async () => {
  const own = await tab({ page: "log", language: "zh", mock: { quiet: true } });
  own.mock.say("INFO", "link1", "link 1: up again after 3 min 2 s and 4 attempts, TCP dtu.example.net:5000 (192.0.2.8:5000)");
  own.mock.say("WARN", "link1", "link 1: no connection to TCP a.example:5000: refused; it is tried again");
  own.mock.say("WARN", null, "nobody has written this one");
  await own.waitForSelector("bdi[lang=en] >> text=nobody has written this one");
  await own.waitForSelector("text=连接 1：3 min 2 s 后经 4 次尝试重新连接，TCP dtu.example.net:5000 (192.0.2.8:5000)");
  await own.waitForSelector("text=连接 1：无法连接 TCP a.example:5000：被拒绝，将重试");
  await own.fill("input[type=search]", "被拒绝");
  assert.equal(await rows(own), 1);
  await own.fill("input[type=search]", "refused");
  assert.equal(await rows(own), 1);
  await axe(own, "log in Chinese");
  await own.finish();
});

test("the log goes by link and level", async () => {
  const own = await tab({ page: "log", mock: {} });
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 4);
  await own.locator("select").nth(2).selectOption("link2");
  assert.equal(await rows(own), 1);
  await own.locator("select").nth(2).selectOption("");
  await own.locator("select").nth(3).selectOption("warn");
  assert.equal(await rows(own), 1);
  own.mock.say("ERROR", null, "store: parameters cannot be stored");
  await own.waitForFunction(() => document.querySelectorAll(".rows > li").length === 2);
  await own.finish();
});

test("log-in: wrong, too often, right; log-out", async () => {
  const own = await tab({ mock: { who: null, login: true } });
  await axe(own, "log-in");
  for (let guess = 0; guess < 3; guess += 1) {
    await own.fill("input[type=password]", "nonsense");
    // The words of the last guess are still there: the answer to this one is waited for, too.
    const answered = own.waitForResponse(/api\/login$/);
    await own.keyboard.press("Enter");
    await answered;
    await own.waitForSelector("text=The password is wrong.");
    await own.waitForSelector("main button:not([disabled])");
  }
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=Too many attempts");
  await axe(own, "refused");
  await own.waitForSelector("main button:not([disabled])");
  await own.fill("input[type=password]", "secret");
  await own.keyboard.press("Enter");
  await own.waitForSelector(".link");
  await own.locator("button", { hasText: "Log out" }).click();
  await own.waitForSelector("input[type=password]");
  assert.equal(own.mock.streams.size, 0);
  await own.finish();
});

test("a viewer sees states and counts, no payload, and nothing to press", async () => {
  const own = await tab({ mock: { who: "viewer", login: true } });
  await own.waitForSelector(".link");
  assert.deepEqual(await own.locator("nav.pages a").evaluateAll((all) => all.map((it) => it.dataset.page)), ["overview", "traffic"]);
  for (const page of ["settings", "at", "phone", "log", "traffic"]) {
    await own.evaluate((to) => {
      location.hash = to;
    }, page);
    await own.waitForTimeout(500);
    assert.equal(await own.locator("h1").innerText(), page === "traffic" ? "Traffic" : "Overview");
    assert.equal(await own.locator("main .primary:visible, main .danger:visible, main textarea, .inject, a[download]").count(), 0, page);
  }
  assert.match(await own.locator(".rows > li").last().innerText(), /payload hidden/);
  assert.deepEqual(own.mock.calls, []);
  await own.finish();
});
