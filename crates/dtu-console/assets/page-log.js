// Log: what the device said.
import { get } from "./api.js";
import { button, h } from "./dom.js";
import * as format from "./format.js";
import { sentence, t } from "./i18n.js";
import { LiveList } from "./livelist.js";
import { busy, copy, empty, labelled, notice, said, select } from "./parts.js";
import { followed, olderBy } from "./rowpage.js";

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
  /** @param {string} query @returns {Promise<LogLine[]>} */
  const lines = async (query) => (await get(`log?${query}`)).lines;
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
    older: olderBy(lines),
    changed: () => rows.show(),
    gap: (n, { at, seq }) => ({ seq, at, level: "warn", of: null, text: t("traffic.gap", { n: format.count(n) }) }),
    empty: () => empty(t("log.empty"), t("log.emptyText")),
  });
  const rows = followed(list, {
    feed: "log",
    fetch: lines,
    taken: (items) => items,
    shown: "log.shown",
    newer: "log.newer",
    size: (line) => line.text.length,
    sum: (count) => t("log.heard", { n: count }),
  });
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
      const copied = list.shown.map((line) => `${new Date(line.at).toISOString()}  ${line.level.toUpperCase()}  ${line.text}`);
      notice((await copy(copied.join("\n"))) ? t("log.copied", { n: copied.length }) : t("traffic.notCopied"), "plain");
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
      h("div", { class: "actions" }, rows.pause, copying),
    ),
    rows.box,
    h("div", { class: "list-foot" }, rows.state),
  );
  rows.show();
  return { title: t("nav.log"), element, end: rows.end };
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
