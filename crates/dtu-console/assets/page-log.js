// Log: what the device said.
import { get } from "./api.js";
import { button, h, setText } from "./dom.js";
import * as format from "./format.js";
import { sentence, t } from "./i18n.js";
import { LiveList } from "./livelist.js";
import { listen, want } from "./live.js";
import { announce, busy, complain, copy, empty, labelled, notice, said, select } from "./parts.js";

/** @typedef {import("./types.js").LogLine} LogLine */
/** @typedef {import("./app.js").Context} Context */
/** @typedef {import("./app.js").Page} Page */

const LEVELS = ["error", "warn", "info", "debug", "trace"];

/** @param {Context} context @returns {Page} */
export function logPage(context) {
  if (!context.session.features.live) {
    return { title: t("nav.log"), element: empty(t("log.none"), t("log.noneText")), end() {} };
  }
  let of = "";
  let worst = "debug";
  let text = "";
  /** @type {LiveList<LogLine>} */
  const list = new LiveList({
    label: t("nav.log"),
    render: lineElement,
    size: (line) => line.text.length * 2 + 60,
    seq: (line) => line.seq,
    accepts: (line) =>
      (of === "" || line.of === of || (of === "device" && !/^link/.test(line.of ?? ""))) &&
      LEVELS.indexOf(line.level.toLowerCase()) <= LEVELS.indexOf(worst) &&
      (text === "" || [line.text, sentence(line.text)[0]].some((it) => it.toLowerCase().includes(text))),
    older: async (before, limit) => {
      const to = before === Number.MAX_SAFE_INTEGER ? "" : `to=${before - 1}&`;
      return (await get(`log?${to}limit=${limit}`)).lines;
    },
    changed: () => show(),
    empty: () => empty(t("log.empty"), t("log.emptyText")),
  });
  const state = h("p", { class: "list-state" });
  const pause = button(t("traffic.pause"), () => list.pause(!list.isPaused), { class: "small" });
  const follow = button("", () => list.follow(), { class: "primary follow" });
  function show() {
    const parts = [t("log.shown", { n: format.count(list.shown.length) })];
    if (list.skipped > 0) {
      parts.push(t("traffic.skipped", { n: format.count(list.skipped) }));
    }
    setText(state, parts.join(" · "));
    setText(pause, list.isPaused ? t("traffic.go") : t("traffic.pause"));
    pause.setAttribute("aria-pressed", String(list.isPaused));
    follow.hidden = list.isFollowing && !list.isPaused;
    setText(follow, list.newer > 0 ? t("log.newer", { n: list.newer }) : t("traffic.follow"));
  }
  const links = [1, 2, 3, 4].map((n) => /** @type {[string, string]} */ ([`link${n}`, t("link.n", { n })]));
  const ofs = select([["", t("log.all")], ...links, ["device", t("log.device")]], "", (value) => {
    of = value;
    list.renew();
  });
  const levels = select(
    [["error", t("log.error")], ["warn", t("log.warn")], ["info", t("log.info")], ["debug", t("log.debug")]],
    worst,
    (value) => {
      worst = value;
      list.renew();
    },
  );
  const search = h("input", {
    type: "search",
    autocomplete: "off",
    on: {
      input: () => {
        text = search.value.toLowerCase();
        list.renew();
      },
    },
  });
  const copying = button(t("traffic.copy"), () =>
    busy(copying, async () => {
      await list.loadAll();
      const lines = list.shown.map((line) => `${new Date(line.at).toISOString()}  ${line.level.toUpperCase()}  ${line.text}`);
      notice((await copy(lines.join("\n"))) ? t("log.copied", { n: lines.length }) : t("traffic.notCopied"), "plain");
    }), { class: "small" });
  const element = h(
    "div",
    { class: "live-page" },
    h(
      "div",
      { class: "toolbar" },
      labelled(t("log.of"), ofs),
      labelled(t("log.level"), levels),
      labelled(t("log.search"), search),
      h("span", { class: "spacer" }),
      h("div", { class: "actions" }, pause, copying),
    ),
    h("div", { class: "list-box" }, list.scroller, follow),
    h("div", { class: "list-foot" }, state),
  );
  let heard = 0;
  const speaking = setInterval(() => {
    if (heard > 0) {
      announce(t("log.heard", { n: heard }));
      heard = 0;
    }
  }, 10_000);
  const off = listen((event) => {
    if (event.of === "log") {
      list.add(event.lines);
      heard += event.lines.length;
    } else if (event.of === "hello" && list.last >= 0) {
      get(`log?from=${list.last + 1}&limit=1000`).then(({ lines }) => list.add(lines), complain);
    }
  });
  want(["log"]);
  get("log?limit=200").then(({ lines }) => list.add(lines), complain);
  show();
  return {
    title: t("nav.log"),
    element,
    end() {
      clearInterval(speaking);
      off();
      list.end();
    },
  };
}

/** @param {LogLine} line */
function lineElement(line) {
  const level = line.level.toLowerCase();
  return h(
    "li",
    { class: `row log ${level}` },
    h("time", { class: "row-at", datetime: new Date(line.at).toISOString(), title: format.dateTime(line.at) }, format.timeOrDate(line.at)),
    h("span", { class: "row-level" }, level.toUpperCase()),
    h("span", { class: "row-text" }, said(line.text)),
  );
}
