// Pictures of every page, to be looked at:  node shots.js FOLDER [page,page] [width,width] [en,zh] [light,dark]
import { mkdirSync } from "node:fs";

import { launch } from "./chromium.js";
import { Mock } from "./mock.js";

const [folder = "/tmp/shots", pages = "overview,settings,traffic,at,phone,log,login", widths = "375,1280,1920", languages = "en,zh", themes = "light,dark"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await launch();
const mock = await new Mock().listen();
await new Promise((resolve) => setTimeout(resolve, 4000));
const jobs = [];
for (const page of pages.split(",")) {
  for (const width of widths.split(",")) {
    for (const language of languages.split(",")) {
      for (const theme of themes.split(",")) {
        jobs.push({ page, width: Number(width), language, theme });
      }
    }
  }
}
const guest = await new Mock({ who: null, login: true }).listen();
const worker = async () => {
  for (let job = jobs.shift(); job; job = jobs.shift()) {
    const context = await browser.newContext({
      viewport: { width: job.width, height: job.width < 500 ? 800 : job.width < 1500 ? 800 : 1080 },
      locale: job.language === "zh" ? "zh-CN" : "en-GB",
      colorScheme: job.theme,
      reducedMotion: "reduce",
    });
    const tab = await context.newPage();
    tab.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(job.page, message.text()));
    tab.on("pageerror", (error) => console.log(job.page, error.stack));
    const url = job.page === "login" ? guest.url : `${mock.url}#${job.page}`;
    await tab.goto(url);
    await tab.waitForTimeout(job.page === "overview" ? 6000 : 1500);
    if (job.page === "at") {
      await tab.fill("input[role=combobox]", "AT+CSQ");
      await tab.keyboard.press("Enter");
      await tab.keyboard.type("AT+CIP", { delay: 20 });
      await tab.waitForTimeout(300);
    }
    await tab.screenshot({ path: `${folder}/${job.page}-${job.width}-${job.language}-${job.theme}.png`, fullPage: job.page !== "settings" || job.width < 1900 });
    await context.close();
  }
};
await Promise.all([worker(), worker(), worker()]);
await browser.close();
await mock.close();
await guest.close();
