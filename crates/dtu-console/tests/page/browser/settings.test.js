// Settings: what is typed, checked, tried, kept and rolled back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, begin, end, tab, until } from "./tab.js";

before(begin);
after(end);

const input = (own, key) => own.locator(`[data-key="${key}"] :is(input, select)`).first();
const settings = (options = {}) => tab({ page: "settings", ...options, mock: { quiet: true, ...options.mock } });
const posts = (own, path) => own.mock.calls.filter((call) => call.path === path).map((call) => JSON.parse(call.body));

/** Until the page has had this value checked. */
const checked = (own, key, value) => until(`a check of ${key}`, () => posts(own, "api/check").some((call) => call.values[key] === value));

async function applied(own) {
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  await own.click("dialog .primary");
}

test("four links and both packets are set by clicking, tried, and kept", async () => {
  const own = await settings();
  for (const n of [1, 2, 3, 4]) {
    await input(own, `CIPSCONT.${n}.START`).check();
    await input(own, `CIPSCONT.${n}.ADDRESS`).fill(`server${n}.example.net`);
    await input(own, `CIPSCONT.${n}.PORT`).fill(`500${n}`);
  }
  await input(own, "CIPSCONT.2.PROTOCOL").selectOption("UDP");
  await input(own, "CIPPACK.1.DATA").fill("DTU\\x00\u6CE8");
  await input(own, "CIPPACK.0.DATA").fill("HB");
  await own.waitForSelector("text=15 changes");
  assert.deepEqual(own.mock.calls.filter((call) => call.path === "api/apply"), []);
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  const shown = await own.locator("dialog .diff").innerText();
  assert.match(shown, /Link 3: Address\s*CIPSCONT\.3\.ADDRESS/);
  await axe(own, "review");
  await own.click("dialog .primary");
  await own.waitForSelector(".banner.trial:not([hidden])");
  const [{ values, confirm }] = posts(own, "api/apply");
  assert.equal(confirm, 120);
  assert.equal(values["CIPSCONT.4.PORT"], "5004");
  assert.equal(values["CIPPACK.1.DATA"], "44545500E6B3A8");
  assert.equal(values["CIPPACK.0.DATA"], "4842");
  assert.ok(own.mock.calls.every((call) => call.csrf === "token-1"));
  assert.equal(own.mock.values.get("CIPSCONT.1.START").stored, "0");
  await own.click(".banner.trial .primary");
  await own.waitForSelector(".banner.trial", { state: "hidden" });
  assert.equal(own.mock.values.get("CIPSCONT.1.START").stored, "1");
  await own.waitForSelector(".changebar", { state: "hidden" });
  await own.finish();
});

test("keep leaves what was typed after the apply", async () => {
  const own = await settings();
  await input(own, "CIPCFG.HEAT").fill("061");
  await input(own, "CIPCFG.TIME").fill("300");
  await applied(own);
  await own.waitForSelector(".banner.trial:not([hidden])");
  await input(own, "CIPCFG.TIME").fill("400");
  await input(own, "CIPNUM").fill("13800138000");
  await own.click(".banner.trial .primary");
  await own.waitForSelector(".banner.trial", { state: "hidden" });
  await own.waitForSelector("text=2 changes");
  assert.equal(await input(own, "CIPCFG.TIME").inputValue(), "400");
  assert.equal(await input(own, "CIPNUM").inputValue(), "13800138000");
  assert.equal(await input(own, "CIPCFG.HEAT").inputValue(), "61");
  await own.finish();
});

test("a rejected draft is kept: after a roll-back it still stands in the form", async () => {
  const own = await settings();
  await input(own, "CIPCFG.HEAT").fill("77");
  await applied(own);
  await own.waitForSelector(".banner.trial:not([hidden])");
  assert.equal(await own.locator(".banner.trial dtu-countdown").innerText().then((text) => /^[12]:\d\d$/.test(text)), true);
  await own.locator(".banner.trial button", { hasText: "Roll back" }).click();
  await own.waitForSelector(".banner.trial", { state: "hidden" });
  assert.equal(own.mock.values.get("CIPCFG.HEAT").running, "30");
  await own.waitForSelector("[data-key=\"CIPCFG.HEAT\"].changed");
  assert.equal(await input(own, "CIPCFG.HEAT").inputValue(), "77");
  await own.finish();
});

test("nobody keeps: the old values come back by themselves, and the page tells", async () => {
  const own = await settings();
  await input(own, "CIPCFG.HEAT").fill("77");
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  await own.locator("dialog input[inputmode=numeric]").fill("10");
  await own.click("dialog .primary");
  await own.waitForSelector(".banner.trial:not([hidden])");
  own.mock.trial.until = Date.now();
  await own.waitForSelector(".banner.trial", { state: "hidden" });
  await own.waitForSelector("[data-key=\"CIPCFG.HEAT\"].changed");
  await own.finish();
});

test("a fault is told beside its field in the core's words, in both languages, and nothing is sent", async () => {
  for (const language of ["en", "zh"]) {
    const own = await settings({ language });
    await input(own, "CIPCFG.HEAT").fill("99999");
    const fault = own.locator("[data-key=\"CIPCFG.HEAT\"] .fault");
    await fault.waitFor({ state: "visible" });
    assert.match(await fault.innerText(), language === "zh" ? /\u5FC5\u987B\u4E3A 0\.\.=65535/ : /^CIPCFG: HEAT must be 0\.\.=65535, got 99999$/);
    assert.equal(await input(own, "CIPCFG.HEAT").getAttribute("aria-invalid"), "true");
    await axe(own, "fault");
    await own.click(".changebar .primary");
    await own.waitForTimeout(300);
    assert.equal(await own.locator("dialog").count(), 0);
    assert.ok(await input(own, "CIPCFG.HEAT").evaluate((element) => element === document.activeElement));
    assert.deepEqual(posts(own, "api/apply"), []);
    await own.finish();
  }
});

test("checks wait until one stops typing", async () => {
  const own = await settings();
  const heat = input(own, "CIPCFG.HEAT");
  await heat.fill("");
  // All in one task: however busy the machine is, no pause of a typist lies between two of them.
  await heat.evaluate((field) => {
    for (const text of ["1", "12", "123", "1234"]) {
      field.value = text;
      field.dispatchEvent(new window.Event("input", { bubbles: true }));
    }
  });
  await checked(own, "CIPCFG.HEAT", "1234");
  const checks = posts(own, "api/check");
  assert.ok(checks.length <= 2, `${checks.length} checks`);
  await own.finish();
});

test("numbers: full-width digits are taken, the wheel does nothing, Enter of an input method does not send", async () => {
  const own = await settings();
  const heat = input(own, "CIPCFG.HEAT");
  assert.equal(await heat.getAttribute("type"), "text");
  assert.equal(await heat.getAttribute("inputmode"), "numeric");
  await heat.fill("\uFF14\uFF12");
  await checked(own, "CIPCFG.HEAT", "42");
  await heat.hover();
  await own.mouse.wheel(0, 100);
  assert.match(await heat.inputValue(), /^(42|\uFF14\uFF12)$/);
  await heat.focus();
  await own.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })));
  await own.waitForTimeout(200);
  assert.equal(await own.locator("dialog").count(), 0);
  await own.keyboard.press("Enter");
  await own.waitForSelector("dialog[open]");
  await own.keyboard.press("Escape");
  await own.waitForSelector("dialog", { state: "detached" });
  assert.deepEqual(posts(own, "api/apply"), []);
  await own.finish();
});

test("the HEX tick converts in place, in both codings, and counts bytes", async () => {
  const own = await settings();
  const packet = own.locator("[data-key=\"CIPPACK.1.DATA\"]");
  const text = packet.locator("input[type=text]");
  const hex = packet.locator("input[type=checkbox]");
  await text.fill("\u6CE8\u518C\\x00A");
  assert.match(await packet.innerText(), /8 of 40 bytes/);
  await hex.check();
  assert.equal(await text.inputValue(), "E6 B3 A8 E5 86 8C 00 41");
  await hex.uncheck();
  assert.equal(await text.inputValue(), "\u6CE8\u518C\\x00A");
  await packet.locator("select").selectOption("gbk");
  await hex.check();
  assert.equal(await text.inputValue(), "E6 B3 A8 E5 86 8C 00 41", "another coding shows the same bytes otherwise");
  await hex.uncheck();
  await text.fill("");
  // While one types an escape nothing is converted under one's fingers.
  await text.pressSequentially("a\\x3", { delay: 20 });
  await own.waitForTimeout(600);
  assert.equal(await text.inputValue(), "a\\x3");
  assert.ok(!(await hex.isChecked()));
  assert.match(await packet.innerText(), /is no escape/);
  await own.keyboard.type("1");
  assert.match(await packet.innerText(), /2 of 40 bytes/);
  await hex.check();
  await text.fill("0x31 31:31");
  await checked(own, "CIPPACK.1.DATA", "313131");
  await text.fill("31 3");
  assert.match(await packet.innerText(), /half a byte/);
  await hex.click();
  assert.ok(await hex.isChecked(), "what cannot be read is not converted");
  assert.equal(await text.inputValue(), "31 3");
  await text.fill("31 ".repeat(41));
  assert.match(await packet.innerText(), /41 bytes are too many: at most 40/);
  const all = Array.from({ length: 40 }, (_, at) => (at * 7 + 200) % 256);
  const spelled = all.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
  await text.fill(spelled);
  await hex.uncheck();
  await hex.check();
  assert.equal(await text.inputValue(), spelled);
  await own.finish();
});

test("a draft outlives a reload and a lost connection; a secret is kept nowhere", async () => {
  const own = await settings();
  await input(own, "CIPSCONT.1.ADDRESS").fill("kept.example.net");
  await input(own, "CIPSW").fill("pass1");
  await own.waitForSelector("text=2 changes");
  const stores = await own.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  assert.match(stores, /kept\.example\.net/);
  assert.doesNotMatch(stores, /pass1/);
  own.mock.die();
  await own.waitForSelector(".banner.bad:not([hidden])");
  assert.match(await own.locator(".banner.bad").first().innerText(), /since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/);
  own.mock.revive();
  await own.waitForSelector(".banner.bad", { state: "hidden" });
  assert.equal(await input(own, "CIPSCONT.1.ADDRESS").inputValue(), "kept.example.net");
  assert.equal(await input(own, "CIPSW").inputValue(), "pass1");
  own.on("dialog", (dialog) => dialog.accept());
  await own.reload();
  await own.waitForSelector(".field");
  assert.equal(await input(own, "CIPSCONT.1.ADDRESS").inputValue(), "kept.example.net");
  assert.equal(await input(own, "CIPSW").inputValue(), "");
  await own.finish();
});

test("a secret is sent only if typed, is named in the diff, and is shown nowhere", async () => {
  const own = await settings();
  assert.equal(await input(own, "CIPSW").getAttribute("autocomplete"), "new-password");
  await input(own, "CIPCFG.HEAT").fill("31");
  await checked(own, "CIPCFG.HEAT", "31");
  assert.deepEqual(Object.keys(posts(own, "api/check").at(-1).values), ["CIPCFG.HEAT"]);
  await input(own, "CIPSW").fill("pass1");
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  const shown = await own.locator("dialog").innerText();
  assert.match(shown, /Device password/);
  assert.doesNotMatch(shown, /pass1/);
  await own.click("dialog .primary");
  await own.waitForSelector("text=Not verifiable");
  assert.equal(posts(own, "api/apply")[0].values.CIPSW, "pass1");
  await own.finish();
});

test("somebody else was faster: mine, theirs and the one before, each to be chosen", async () => {
  const own = await settings();
  await input(own, "CIPCFG.HEAT").fill("44");
  await input(own, "CIPNUM").fill("13800138000");
  own.mock.set("CIPCFG.HEAT", "55");
  own.mock.etag += 1;
  await applied(own);
  await own.waitForSelector("dialog:has-text('Somebody else')");
  const release = own.mock.holdReading();
  const row = own.locator("dialog tr", { hasText: "CIPCFG.HEAT" });
  assert.match(await row.innerText(), /44[\s\S]*55[\s\S]*30/);
  await axe(own, "conflict");
  await row.locator("input[type=radio]").nth(1).check();
  const asked = own.waitForRequest(/api\/settings$/);
  await own.click("dialog .primary");
  await asked;
  assert.equal(await input(own, "CIPCFG.HEAT").inputValue(), "44");
  release();
  await own.waitForSelector("dialog", { state: "detached" });
  await own.waitForSelector("text=1 change");
  assert.equal(await input(own, "CIPCFG.HEAT").inputValue(), "55");
  assert.equal(await input(own, "CIPNUM").inputValue(), "13800138000");
  await own.finish();
});

test("until the device is read again a field shows what was sent, and what is typed meanwhile stays", async () => {
  const own = await settings({ mock: { confirm: false } });
  const heat = input(own, "CIPCFG.HEAT");
  await heat.fill("31");
  await input(own, "CIPNUM").fill("13800138000");
  const release = own.mock.holdReading();
  const asked = own.waitForRequest(/api\/settings$/);
  await applied(own);
  await asked;
  await own.waitForSelector("text=2 changes");
  assert.equal(await heat.inputValue(), "31");
  await heat.fill("32");
  release();
  await own.waitForSelector("text=1 change");
  assert.equal(await heat.inputValue(), "32");
  assert.equal(await input(own, "CIPNUM").inputValue(), "13800138000");
  // Also what the device had before it was sent: that is a wish, too.
  const again = own.mock.holdReading();
  const asked2 = own.waitForRequest(/api\/settings$/);
  await applied(own);
  await asked2;
  await heat.fill("31");
  again();
  await own.waitForSelector("text=1 change");
  assert.equal(await heat.inputValue(), "31");
  await own.finish();
});

test("it failed and the old values are back: said so, with the reason, and the draft stays", async () => {
  const own = await settings();
  await input(own, "CIPSCONT.1.ADDRESS").fill("fail.example");
  await applied(own);
  await own.waitForSelector("dialog:has-text('It failed')");
  assert.match(await own.locator("dialog").innerText(), /the old values are back[\s\S]*\+CME ERROR: refused/);
  await axe(own, "put back");
  await own.keyboard.press("Escape");
  assert.equal(await input(own, "CIPSCONT.1.ADDRESS").inputValue(), "fail.example");
  await own.finish();
});

test("a field in which one types is never written over", async () => {
  const own = await settings();
  const number = input(own, "CIPNUM");
  await number.click();
  await own.keyboard.type("7");
  own.mock.set("CIPNUM", "222");
  own.mock.values.get("CIPCFG.HEAT").running = "61";
  await own.waitForSelector("[data-key=\"CIPCFG.HEAT\"] .held.warn");
  assert.match(await own.locator("[data-key=\"CIPCFG.HEAT\"]").innerText(), /Running: 61 · stored: 30 · not stored/);
  assert.match(await number.inputValue(), /7/);
  assert.equal(await own.locator(".head .chip").innerText(), "1 not stored");
  await own.finish();
});

test("a file is a draft; a wrong one is told by line and column; secrets that it leaves out stay", async () => {
  const own = await settings();
  const choose = (text) => own.locator("input[type=file]").setInputFiles({ name: "old.toml", mimeType: "text/plain", buffer: Buffer.from(text) });
  await choose("CIPCFG.HEAT = \"61\"\nCIPSW = \"****\"\n");
  await own.waitForSelector("text=1 value differs");
  assert.equal(await input(own, "CIPCFG.HEAT").inputValue(), "61");
  assert.deepEqual(posts(own, "api/apply"), []);
  await choose("CIPR = \"9600\"\nNONSENSE\n");
  await own.waitForSelector("text=Line 2, column 1:");
  const [download] = await Promise.all([own.waitForEvent("download"), own.locator("button", { hasText: /^Export$/ }).click()]);
  assert.equal(download.suggestedFilename(), "dtu.toml");
  await own.finish();
});

test("restart and factory settings tell what they cost, and do nothing without a yes", async () => {
  const own = await tab({ page: "settings" });
  await own.waitForTimeout(900);
  for (const [text, path] of [["Restart the device", "api/restart"], ["Factory settings", "api/factory"]]) {
    await own.locator(".toolbar button", { hasText: text }).click();
    await own.waitForSelector("dialog[open]");
    assert.match(await own.locator("dialog").innerText(), /1 link drops, \d+ frames? waits?/);
    await axe(own, text);
    assert.equal(await own.evaluate(() => document.activeElement?.textContent), "Cancel");
    await own.keyboard.press("Enter");
    await own.waitForSelector("dialog", { state: "detached" });
    assert.ok(!own.mock.calls.some((call) => call.path === path));
    await own.locator(".toolbar button", { hasText: text }).click();
    await own.locator("dialog .dialog-actions button").last().click();
    await own.waitForSelector("dialog", { state: "detached" });
    await until(path, () => own.mock.calls.some((call) => call.path === path));
  }
  await own.finish();
});

test("the cost goes by the tick: without a trial the device restarts, and all links drop", async () => {
  for (const [language, words] of [["en", /Cost: 1 link drops, 14 frames wait\./], ["zh", /\u5C06\u65AD\u5F00 1 \u8DEF\u8FDE\u63A5\uFF0C14 \u5E27/]]) {
    const own = await settings({ language });
    await input(own, "CIPCFG.HEAT").fill("31");
    await own.click(".changebar .primary");
    await own.waitForSelector("dialog[open]");
    const cost = own.locator("dialog .banner.warn").first();
    assert.ok(await cost.isHidden(), "a heartbeat drops no link on trial");
    await own.locator("dialog input[type=checkbox]").uncheck();
    assert.match(await cost.innerText(), words);
    await axe(own, "cost");
    await own.locator("dialog input[type=checkbox]").check();
    assert.ok(await cost.isHidden());
    await own.finish();
  }
});

test("without a trial in the device the page says so, and asks for none", async () => {
  const own = await settings({ mock: { live: false, confirm: false, radio: "none" } });
  assert.equal(await own.locator("nav.pages a").count(), 3);
  await input(own, "CIPCFG.HEAT").fill("31");
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  assert.match(await own.locator("dialog").innerText(), /This device has no trial/);
  await own.click("dialog .primary");
  await own.waitForSelector("text=1 value is set, stored and read back");
  assert.equal(posts(own, "api/apply")[0].confirm, null);
  await own.finish();
});

test("a device without a feed tells its trial too, and is asked again when that is over", async () => {
  const own = await settings({ mock: { live: false, confirm: true, radio: "none" } });
  await input(own, "CIPCFG.HEAT").fill("31");
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  await own.locator("dialog input[inputmode=numeric]").fill("10");
  await own.click("dialog .primary");
  await own.waitForSelector(".banner.trial:not([hidden])");
  await own.waitForSelector(".banner.trial", { state: "hidden", timeout: 15_000 });
  await own.waitForSelector("[data-key=\"CIPCFG.HEAT\"].changed");
  await own.finish();
});

test("no control hangs on prose: without a word of it, and in Chinese, all are the same", async () => {
  const kinds = async (options) => {
    const own = await settings(options);
    await own.locator(".toolbar .tick input").check();
    await own.waitForSelector("[data-key=\"CIROLE.1\"]");
    const found = await own.locator(".field").evaluateAll((all) =>
      all.map((it) => {
        const room = /\d+\D*$/.exec(it.querySelector(".count")?.textContent ?? "")?.[0].replace(/\D/g, "") ?? "";
        const clear = it.matches(".kind-secret") ? String([...it.querySelectorAll("button")].at(-2).hidden) : "";
        return [it.dataset.key, it.className, clear, room].filter((part) => part !== "").join(" ");
      }),
    );
    await own.finish();
    return found;
  };
  const english = await kinds({});
  assert.ok(english.some((it) => it.startsWith("CIPSCONT.1.START field kind-tick")));
  assert.ok(english.some((it) => it.startsWith("HTPFLT field kind-tick")));
  assert.ok(english.some((it) => it.startsWith("CIPPACK.1.DATA field kind-packet") && it.endsWith(" 40")));
  assert.ok(english.some((it) => it.startsWith("CSTT.PASSWORD field kind-secret false")));
  assert.ok(english.some((it) => it.startsWith("CIPSW field kind-secret true")));
  assert.deepEqual(await kinds({ mock: { prose: false } }), english);
  assert.deepEqual(await kinds({ language: "zh" }), english);
});

test("what could not be read is named in the page's language; what has no read form is none of it", async () => {
  const unread = [
    { group: "CIPSW", why: "no_read_form", message: "no reply tells it", message_zh: "没有应答返回该值" },
    { group: "CIROLE.1", why: "refused", message: "unknown command", message_zh: "未知指令" },
  ];
  for (const [language, words] of [["en", /^1 setting could not be read[\s\S]*CIROLE\.1: unknown command$/], ["zh", /^1 项参数未能读取[\s\S]*CIROLE\.1: 未知指令$/]]) {
    const own = await settings({ language });
    own.mock.unread = unread;
    await own.reload();
    await own.waitForSelector(".settings > .banner.warn:not([hidden])");
    assert.match((await own.locator(".settings > .banner.warn").innerText()).trim(), words);
    await own.finish();
  }
});

test("what was set before and not stored shares the fate of a trial, and is named before and behind it", async () => {
  const own = await settings();
  own.mock.values.get("CIPNUM").running = "13800138000";
  await input(own, "CIPCFG.HEAT").fill("31");
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  const along = own.locator("dialog .banner.warn", { hasText: "set before" });
  const name = await own.locator("[data-key=CIPNUM] label").innerText();
  assert.match(await along.innerText(), new RegExp(`1 setting was set before and not stored: ${name}\\. "Keep" stores it, too; the old values take it back, too\\.`));
  await own.locator("dialog .tick input").uncheck();
  assert.match(await along.innerText(), /will be stored, too/);
  await own.locator("dialog .tick input").check();
  await axe(own, "along");
  await own.click("dialog .primary");
  await own.waitForSelector(".banner.trial:not([hidden])");
  await own.locator(".banner.trial button", { hasText: "Roll back" }).click();
  await own.waitForSelector(".notice.bad");
  assert.match(await own.locator(".notice.bad").innerText(), new RegExp(`The old settings are back\\. 1 setting that was set before and not stored went back, too: ${name}\\.`));
  assert.equal(own.mock.value("CIPNUM"), "10086");
  await own.finish();
});

test("what was applied before and not stored is stored by Keep, and left by a roll-back", async () => {
  const own = await settings();
  own.mock.values.get("CIPNUM").running = "13800138000";
  own.mock.values.get("CIPCFG.TIME").running = "250";
  own.mock.applied.add("CIPNUM");
  await input(own, "CIPCFG.HEAT").fill("31");
  await own.click(".changebar .primary");
  await own.waitForSelector("dialog[open]");
  const text = (words) => own.locator("dialog .banner.warn:not([hidden])", { hasText: words });
  const [name, other] = await Promise.all(["CIPNUM", "CIPCFG.TIME"].map((key) => own.locator(`[data-key="${key}"] label`).first().innerText()));
  assert.match(await text("applied before").innerText(), new RegExp(`^1 setting was applied before and not stored: ${name}\\. "Keep" stores it, too; a roll-back leaves it\\.$`));
  assert.ok(!(await text("set before").innerText()).includes(name));
  assert.ok((await text("set before").innerText()).includes(other));
  await own.locator("dialog .tick input").uncheck();
  assert.equal(await text("applied before").count(), 0);
  assert.ok((await text("will be stored, too").innerText()).includes(name));
  await own.locator("dialog .tick input").check();
  await own.click("dialog .primary");
  await own.waitForSelector(".banner.trial:not([hidden])");
  await own.locator(".banner.trial button", { hasText: "Roll back" }).click();
  await own.waitForSelector(".notice.bad");
  assert.ok(!(await own.locator(".notice.bad").innerText()).includes(name));
  assert.equal(own.mock.value("CIPNUM"), "13800138000");
  await own.finish();
});

test("of a trial of others all is named that went back; a trial of another run is none of this page", async () => {
  const own = await settings();
  const begin = (id) => {
    own.mock.trial = { id, until: Date.now() + 120_000, keys: ["CIPNUM"] };
    return own.waitForSelector(".banner.trial:not([hidden])");
  };
  const name = await own.locator("[data-key=CIPNUM] label").innerText();
  await begin(7);
  own.mock.rollBack("expired");
  await own.waitForSelector(".notice.bad");
  assert.match(await own.locator(".notice.bad").innerText(), new RegExp(`Nobody kept them: the old settings are back\\. 1 setting went back: ${name}\\.`));
  await own.click(".notice.bad button");
  // The page tries something; the program starts anew, and its first trial has the number of that one.
  await input(own, "CIPCFG.HEAT").fill("31");
  await applied(own);
  await own.waitForSelector(".banner.trial:not([hidden])");
  const { id } = own.mock.trial;
  own.mock.die();
  own.mock.restart();
  await own.waitForSelector(".banner.bad:not([hidden])");
  own.mock.revive();
  await own.waitForSelector(".banner.trial", { state: "hidden", timeout: 20_000 });
  await begin(id);
  own.mock.trial.keys = ["CIPCFG.HEAT"];
  own.mock.rollBack();
  await own.waitForSelector(".notice.bad");
  assert.match(await own.locator(".notice.bad").innerText(), /1 setting went back: /);
  await own.finish();
});

test("the short display has what one needs, the full one everything", async () => {
  const own = await settings();
  const count = () => own.locator(".field").count();
  const short = await count();
  assert.equal(await own.locator("[data-key=\"CIROLE.1\"]").count(), 0);
  await own.locator(".toolbar .tick input").check();
  await own.waitForSelector("[data-key=\"CIROLE.1\"]");
  assert.ok((await count()) > short + 10);
  await axe(own, "full display");
  await own.reload();
  await own.waitForSelector("[data-key=\"CIROLE.1\"]");
  await own.finish();
});
