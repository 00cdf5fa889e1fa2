// The page on a real device: DTUD names the program. A newcomer's way, from nothing to bytes at four servers.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { axe, begin, end, open } from "./tab.js";

const { DTUD } = process.env;
const skip = DTUD ? false : "DTUD names no program";
const folder = mkdtempSync(join(tmpdir(), "dtu-page-"));
/** @type {{port: number, got: Buffer, close(): void}[]} */
const servers = [];
let device;
let url;

async function server() {
  const own = { got: Buffer.alloc(0), port: 0, close: () => listener.close() };
  const listener = createServer((socket) => {
    socket.on("data", (bytes) => {
      own.got = Buffer.concat([own.got, bytes]);
    });
    socket.on("error", () => {});
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  own.port = listener.address().port;
  return own;
}

before(async () => {
  if (skip) {
    return;
  }
  await begin();
  for (let n = 0; n < 4; n += 1) {
    servers.push(await server());
  }
  const words = ["--serial", `pty:${join(folder, "dtu0")}`, "--state", join(folder, "state"), "--setup-window", "0", "--console", "127.0.0.1:0"];
  device = spawn(DTUD, words, { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, RUST_LOG: "info" } });
  url = await new Promise((resolve, reject) => {
    device.on("exit", (code) => reject(new Error(`dtud ended with ${code}`)));
    createInterface(device.stdout).on("line", (line) => {
      const ready = /console=(http:\S+)/.exec(line);
      if (ready) {
        resolve(ready[1]);
      }
    });
  });
});

after(async () => {
  await end();
  device?.kill("SIGTERM");
  servers.forEach((it) => it.close());
  rmSync(folder, { recursive: true, force: true });
});

async function until(what, isSo) {
  for (let tries = 0; tries < 150; tries += 1) {
    if (await isSo()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${what}: not within 15 s`);
}

const input = (own, key) => own.locator(`[data-key="${key}"] :is(input, select)`).first();

async function apply(own, seconds) {
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  if (seconds) {
    await own.locator("dialog input[inputmode=numeric]").fill(String(seconds));
  }
  await own.click("dialog .primary");
  await own.waitForSelector(".banner.trial:not([hidden])").catch(async (error) => {
    assert.fail(`${error.message}: ${await own.locator("dialog, .notice, .banner").allInnerTexts()}`);
  });
}

test("from an empty device to bytes at four servers, by the browser alone", { skip }, async () => {
  const own = await open(url);
  await own.click("text=Set up a link");
  await own.waitForSelector(".field");
  for (const [at, { port }] of servers.entries()) {
    await input(own, `CIPSCONT.${at + 1}.START`).check();
    await input(own, `CIPSCONT.${at + 1}.ADDRESS`).fill("127.0.0.1");
    await input(own, `CIPSCONT.${at + 1}.PORT`).fill(String(port));
  }
  await input(own, "CIPPACK.1.DATA").fill("DTU\\x00\u6CE8");
  await input(own, "CIPPACK.0.DATA").fill("HB");
  await input(own, "CIPCFG.HEAT").fill("1");
  await apply(own);
  await own.evaluate(() => window.scrollTo(0, 0));
  await axe(own, "trial");
  const registration = Buffer.from("DTU\0\u6CE8");
  await until("the registration packet", () => servers.every((it) => it.got.includes(registration)));
  await own.click(".banner.trial .primary");
  await own.waitForSelector(".banner.trial", { state: "hidden" });
  await own.locator(".toolbar button", { hasText: "Restart the device" }).click();
  servers.forEach((it) => {
    it.got = Buffer.alloc(0);
  });
  await own.click("dialog .primary");
  await until("links after the restart", () => servers.every((it) => it.got.includes(registration)));
  await own.evaluate(() => {
    location.hash = "traffic";
  });
  await own.waitForSelector(".inject");
  await own.fill(".inject input", "\\x02reading\\xFF\\x03");
  await own.click(".inject .primary");
  const reading = Buffer.from("\u0002reading\u00FF\u0003", "latin1");
  await until("the bytes", () => servers.every((it) => it.got.includes(reading)));
  await until("the heartbeat", () => servers.every((it) => it.got.includes("HB")));
  await own.waitForSelector(".row.injected");
  await own.fill("input[type=search]", "reading");
  await own.keyboard.press("Enter");
  await own.waitForSelector(".rows .current");
  await axe(own, "traffic");
  await own.evaluate(() => {
    location.hash = "overview";
  });
  await own.waitForFunction(() => document.querySelectorAll(".link .pill[data-kind=good]").length === 4);
  assert.match(await own.locator(".losses-head").innerText(), /^0 bytes lost since /);
  await axe(own, "overview");
  await own.finish();
});

test("nobody keeps it: the device goes back by itself, and the draft is still there", { skip }, async () => {
  const own = await open(`${url}#settings`);
  await own.waitForSelector(".field");
  const before = await input(own, "CIPCFG.HEAT").inputValue();
  await input(own, "CIPCFG.HEAT").fill("77");
  await apply(own, 10);
  await own.waitForSelector(".banner.trial", { state: "hidden", timeout: 20_000 });
  await own.waitForSelector("[data-key=\"CIPCFG.HEAT\"].changed");
  assert.match(await own.locator("[data-key=\"CIPCFG.HEAT\"]").innerText(), new RegExp(`The device has ${before}`));
  assert.equal(await input(own, "CIPCFG.HEAT").inputValue(), "77");
  await own.finish();
});

test("a file, the core's words in both languages, AT, and a phone", { skip }, async () => {
  const own = await open(`${url}#settings`);
  await own.waitForSelector(".field");
  await own.locator("input[type=file]").setInputFiles({ name: "old.toml", mimeType: "text/plain", buffer: Buffer.from("[CIPCFG]\nHEAT = 99999\n") });
  await own.waitForSelector("[data-key=\"CIPCFG.HEAT\"] .fault:not([hidden]), .notice.bad");
  await own.locator("input[type=file]").setInputFiles({ name: "old.toml", mimeType: "text/plain", buffer: Buffer.from("[CIPCFG]\nHEAT = 61\n") });
  await own.waitForFunction(() => document.querySelector("[data-key=\"CIPCFG.HEAT\"] input").value === "61");
  await input(own, "CIPCFG.HEAT").fill("99999");
  await own.waitForSelector("text=CIPCFG: HEAT must be 0..=65535, got 99999");
  await own.locator(".choices select").first().selectOption("zh");
  await own.waitForFunction(() => /[\u4E00-\u9FFF]/.test(document.querySelector("[data-key=\"CIPCFG.HEAT\"] .fault")?.textContent ?? ""));
  await axe(own, "settings in Chinese");
  await own.locator(".toolbar .tick input").check();
  await own.waitForSelector("[data-key=\"CIROLE.1\"]");
  await axe(own, "full display in Chinese");
  await own.evaluate(() => {
    location.hash = "at";
  });
  await own.fill("input[role=combobox]", "AT+CINET?");
  await own.keyboard.press("Enter");
  await own.waitForSelector("text=+CINET:1,CONNECTED");
  await own.evaluate(() => {
    location.hash = "phone";
  });
  await own.fill("textarea", "admin,AT+CSQ");
  await own.keyboard.press("Enter");
  await own.waitForSelector(".bubble.own >> text=+CSQ: 31");
  await own.evaluate(() => {
    location.hash = "log";
  });
  await own.waitForSelector(".rows >> text=短信指令，来自");
  await axe(own, "log");
  await own.finish();
});

test("what the device says is Chinese on the Chinese page: rows, log, and a refusal", { skip }, async () => {
  const own = await open(`${url}#traffic`);
  await own.locator(".choices select").first().selectOption("zh");
  await own.waitForSelector("html[lang=zh-CN]");
  await own.fill(".inject input", "读数");
  await own.click(".inject .primary");
  await own.waitForSelector(".row.injected .row-note >> text=打包时间到");
  const english = await own.locator(".row-note").evaluateAll((all) => all.map((it) => it.textContent).filter((it) => !/[\u4E00-\u9FFF]/.test(it)));
  assert.deepEqual(english, []);
  await axe(own, "traffic in Chinese");
  await own.evaluate(() => {
    location.hash = "log";
  });
  await own.waitForSelector(".row-text >> text=设备：");
  const lines = await own.locator(".row-text bdi").evaluateAll((all) => all.map((it) => ({ text: it.textContent, lang: it.lang })));
  for (const { text, lang } of lines) {
    assert.equal(lang, /[\u4E00-\u9FFF]/.test(text) ? "" : "en", text);
  }
  const unknown = lines.filter((it) => it.lang === "en").map((it) => it.text);
  assert.ok(unknown.length * 4 < lines.length, `shown in English: ${unknown.join("\n")}`);
  console.log(`# shown in English: ${[...new Set(unknown)].join(" | ")}`);
  await own.finish();
});
