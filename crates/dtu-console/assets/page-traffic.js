// Traffic: every frame of the line and the links, as it comes and as the recorder keeps it.
import { get, post } from "./api.js";
import { asciiOf, fromBase64, indexOfBytes, parseEscapes, parseHex, showEscapes, toHex } from "./bytes.js";
import { button, foreign, h, isComposing, setText } from "./dom.js";
import * as format from "./format.js";
import { t, told } from "./i18n.js";
import { LiveList } from "./livelist.js";
import { status } from "./live.js";
import { announce, busy, complain, copy, empty, labelled, notice, said, select, tick } from "./parts.js";
import { followed, olderBy } from "./rowpage.js";
import { forBrowser } from "./store.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./app.js").Context} Context */
/** @typedef {import("./app.js").Page} Page */
/** @typedef {import("./bytes.js").Charset} Charset */
/** @typedef {Row & {bytes: Uint8Array | null}} Known */

/** @param {string} of */
function nameOf(of) {
  const [, kind = of, n = ""] = /^(link|to)(\d)$/.exec(of) ?? [];
  switch (kind) {
    case "link":
      return t("link.n", { n });
    case "to":
      return t("traffic.to", { n });
    case "line":
    case "at":
    case "httpd":
    case "device":
    case "radio":
    case "console":
      return t(`traffic.${kind}`);
    default:
      return of;
  }
}

/** What one choice of the filter lets through. @param {string} filter @param {string} of */
function isOf(filter, of) {
  if (filter === "modes") {
    return /^(at|httpd|to\d)$/.test(of);
  }
  return filter === "" || filter === of || (filter === "device" && of === "radio");
}

/** Why a frame was cut, and what else is said of it. @param {string} note */
function noteOf(note) {
  return note.split("; ").map(told).join("; ");
}

/** A viewer gets the length alone. @param {Row} row @returns {Known} */
function known(row) {
  const isHidden = row.data === null || row.data === undefined || (row.data === "" && row.len > 0);
  return { ...row, bytes: isHidden ? null : fromBase64(row.data ?? "") };
}

/** @param {Context} context @returns {Page} */
export function traffic(context) {
  if (!context.session.features.live) {
    return { title: t("nav.traffic"), element: empty(t("traffic.none"), t("traffic.noneText")), end() {} };
  }
  const kept = forBrowser.get("traffic") ?? {};
  /** @type {{view: "both" | "hex" | "text", charset: Charset, of: string, dir: string, events: boolean}} */
  const how = { view: "both", charset: "utf-8", of: "", dir: "", events: true, ...kept };
  const keep = () => forBrowser.set("traffic", how);
  const isNarrow = matchMedia("(max-width: 40rem)");

  /** @param {string} query @returns {Promise<Known[]>} */
  const frames = async (query) => (await get(`rows?${query}`)).rows.map(known);
  /** @type {LiveList<Known>} */
  const list = new LiveList({
    label: t("traffic.rows"),
    render: (row) => rowElement(row, how, isNarrow.matches ? 8 : 16),
    size: (row) => row.bytes?.length ?? 50,
    seq: (row) => row.seq,
    accepts: (row) =>
      isOf(how.of, row.of) &&
      (how.dir === "" || row.dir === how.dir || row.kind === "event") &&
      (how.events || row.kind !== "event"),
    older: olderBy(frames),
    changed: () => rows.show(),
    gap: (n, { at, seq }) => ({ seq, at, of: "", dir: "in", len: 0, data: null, bytes: null, note: t("traffic.gap", { n: format.count(n) }), kind: "event", injected: false }),
    empty: () => empty(t("traffic.empty"), context.mayWrite ? t("traffic.emptyText") : t("traffic.emptyViewer")),
  });

  const rows = followed(list, {
    feed: "rows",
    fetch: frames,
    taken: (items) => items.map(known),
    shown: "traffic.shown",
    newer: "traffic.newer",
    size: (row) => row.len,
    sum: (count, size) => t("traffic.heard", { n: count, size: format.bytes(size) }),
  });

  const renew = () => {
    keep();
    list.renew();
  };
  const views = select(
    [["both", t("traffic.both")], ["hex", t("traffic.hex")], ["text", t("traffic.text")]],
    how.view,
    (value) => {
      how.view = /** @type {any} */ (value);
      charsets.hidden = how.view !== "text";
      renew();
    },
  );
  const charsets = select([["utf-8", "UTF-8"], ["gbk", "GBK"]], how.charset, (value) => {
    how.charset = /** @type {Charset} */ (value);
    renew();
  });
  charsets.setAttribute("aria-label", t("bytes.coding"));
  charsets.hidden = how.view !== "text";
  const places = ["line", "link1", "link2", "link3", "link4"].map((of) => /** @type {[string, string]} */ ([of, nameOf(of)]));
  /** @type {[string, string][]} */
  const others = [["modes", t("traffic.modes")], ["device", t("traffic.deviceAndRadio")]];
  const ofs = select([["", t("traffic.all")], ...places, ...others], how.of, (value) => {
    how.of = value;
    renew();
  });
  const dirs = select([["", t("traffic.bothWays")], ["in", t("traffic.in")], ["out", t("traffic.out")]], how.dir, (value) => {
    how.dir = value;
    renew();
  });
  const events = tick(t("traffic.events"), how.events, (on) => {
    how.events = on;
    renew();
  });
  const search = searchBox(list, how);
  const copying = button(t("traffic.copy"), () =>
    busy(copying, async () => {
      await list.loadAll();
      const text = list.shown.map((row) => asLine(row, how)).join("\n");
      notice((await copy(text)) ? t("traffic.copied", { n: list.shown.length }) : t("traffic.notCopied"), "plain");
    }), { class: "small" });
  const tools = h(
    "div",
    { class: "toolbar" },
    labelled(t("traffic.view"), h("div", { class: "joined" }, views, charsets)),
    labelled(t("traffic.of"), ofs),
    labelled(t("traffic.dir"), dirs),
    events,
    search,
    h("span", { class: "spacer" }),
    h(
      "div",
      { class: "actions" },
      rows.pause,
      copying,
      context.mayRead && h("a", { class: "button small", href: "api/traffic.pcapng", download: "traffic.pcapng", title: t("traffic.pcapngText") }, t("traffic.pcapng")),
      button(t("traffic.clear"), () => list.clear(), { class: "small quiet" }),
    ),
  );
  labelFirst(tools);
  const element = h(
    "div",
    { class: "live-page" },
    tools,
    rows.box,
    h("div", { class: "list-foot" }, rows.state, h("p", { class: "hint" }, t("traffic.payload"))),
    context.session.features.inject && context.mayWrite ? injectForm() : null,
  );

  const onNarrow = () => list.renew();
  isNarrow.addEventListener("change", onNarrow);
  rows.show();
  return {
    title: t("nav.traffic"),
    element,
    end() {
      rows.end();
      isNarrow.removeEventListener("change", onNarrow);
    },
  };
}

/** A label needs a control of its own: the first of a joined pair. @param {HTMLElement} tools */
function labelFirst(tools) {
  for (const label of tools.querySelectorAll("label[for]")) {
    const id = label.getAttribute("for") ?? "";
    const joined = tools.querySelector(`#${CSS.escape(id)}.joined`);
    const control = joined?.querySelector("select, input");
    if (joined && control) {
      joined.removeAttribute("id");
      control.id = id;
    }
  }
}

/**
 * @param {Known} row
 * @param {{view: string, charset: Charset}} how
 * @param {number} width
 */
function rowElement(row, how, width) {
  const at = h("time", { class: "row-at", datetime: new Date(row.at).toISOString() }, format.timeOfDay(row.at));
  const of = h("span", { class: "row-of", "data-of": row.of }, nameOf(row.of));
  if (row.kind === "event") {
    return h("li", { class: "row event" }, at, of, h("span", { class: "row-note" }, said(row.note ?? "")));
  }
  const way = h(
    "span",
    { class: `row-dir ${row.dir}` },
    h("span", { "aria-hidden": "true" }, row.dir === "in" ? "→" : "←"),
    " ",
    t(row.dir === "in" ? "traffic.dirIn" : "traffic.dirOut"),
  );
  const length = h("span", { class: "row-len" }, t("bytes.n", { n: row.len }));
  const note = row.note ? h("span", { class: "row-note" }, foreign(noteOf(row.note))) : null;
  const element = h("li", { class: "row" }, at, of, way, length, note);
  element.classList.toggle("injected", row.injected);
  if (row.bytes === null) {
    element.append(h("span", { class: "row-data muted" }, t("traffic.hidden")));
    return element;
  }
  const text = dump(row.bytes, how, width);
  const more = row.len > row.bytes.length ? h("span", { class: "muted" }, ` ${t("traffic.cut", { n: row.len - row.bytes.length })}`) : null;
  element.append(h("pre", { class: "row-data" }, text, more));
  return element;
}

/** @param {Uint8Array} bytes @param {{view: string, charset: Charset}} how @param {number} width */
function dump(bytes, how, width) {
  if (how.view === "text") {
    return showEscapes(bytes, how.charset);
  }
  if (how.view === "hex") {
    return toHex(bytes, " ");
  }
  const lines = [];
  for (let at = 0; at < bytes.length; at += width) {
    const part = bytes.subarray(at, at + width);
    lines.push(`${toHex(part, " ").padEnd(width * 3 - 1)}  ${asciiOf(part)}`);
  }
  return lines.join("\n");
}

/** @param {Known} row @param {{view: string, charset: Charset}} how */
function asLine(row, how) {
  const head = `${new Date(row.at).toISOString()}  ${row.of}`;
  if (row.kind === "event") {
    return `${head}  ${row.note ?? ""}`;
  }
  const data = row.bytes === null ? "" : how.view === "text" ? showEscapes(row.bytes, how.charset) : toHex(row.bytes, " ");
  return `${head}  ${row.dir}  ${row.len}  ${data}${row.note ? `  (${row.note})` : ""}`;
}

/**
 * @param {LiveList<Known>} list
 * @param {{charset: Charset}} how
 */
function searchBox(list, how) {
  const input = h("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: t("search.placeholder") });
  const found = h("span", { class: "hint", role: "status" });
  let at = -1;
  let sought = "";

  /** @param {1 | -1} step */
  async function go(step) {
    const wanted = input.value;
    if (wanted === "") {
      setText(found, "");
      list.unmark();
      return;
    }
    if (wanted !== sought) {
      sought = wanted;
      at = -1;
      await list.loadAll();
    }
    const hits = list.shown.filter((row) => matches(row, wanted, how.charset));
    if (hits.length === 0) {
      setText(found, t("search.none"));
      return;
    }
    // The newest first, as the eye is at the end of the list.
    at = at < 0 ? hits.length - 1 : (at + step + hits.length) % hits.length;
    setText(found, t("search.found", { at: at + 1, n: hits.length }));
    const hit = hits[at];
    if (hit) {
      list.reveal(hit);
    }
  }

  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !isComposing(event)) {
      event.preventDefault();
      go(event.shiftKey ? 1 : -1).catch(complain);
    }
  });
  input.addEventListener("input", () => {
    setText(found, "");
  });
  const up = button("↑", () => void go(-1).catch(complain), { class: "small", "aria-label": t("search.up") });
  const down = button("↓", () => void go(1).catch(complain), { class: "small", "aria-label": t("search.down") });
  const box = h("div", { class: "joined" }, input, up, down, found);
  return labelled(t("search"), box);
}

/** By text, or by bytes where it reads as hex. @param {Known} row @param {string} wanted @param {Charset} charset */
function matches(row, wanted, charset) {
  if (row.note?.toLowerCase().includes(wanted.toLowerCase())) {
    return true;
  }
  const { bytes } = row;
  if (bytes === null) {
    return false;
  }
  const hex = parseHex(wanted);
  const text = parseEscapes(wanted, charset);
  return [hex, text].some((read) => read.bytes !== null && indexOfBytes(bytes, read.bytes) >= 0);
}

/** Bytes of one's own, put in on one side. */
function injectForm() {
  let kind = "text";
  /** @type {Charset} */
  let charset = "utf-8";
  const data = h("input", { type: "text", class: "mono", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "\\x02QPW\\x03" });
  const fault = h("p", { class: "fault", role: "status" });
  const count = h("span", { class: "hint" });
  const targets = h(
    "select",
    {},
    h("option", { value: "line" }, t("inject.line")),
    ...[1, 2, 3, 4].map((n) => h("option", { value: `link${n}` }, t("inject.link", { n }))),
  );
  const ends = select([["", t("inject.noEnd")], ["0D", "CR (\\r)"], ["0A", "LF (\\n)"], ["0D0A", "CR LF"]], "", () => look());
  const kinds = select([["text", t("inject.text")], ["gbk", t("inject.gbk")], ["hex", "HEX"]], kind, (value) => {
    // The bytes stay; their spelling changes.
    const read = parsed();
    kind = value === "hex" ? "hex" : "text";
    charset = value === "gbk" ? "gbk" : "utf-8";
    if (read.bytes !== null) {
      data.value = kind === "hex" ? toHex(read.bytes, " ") : showEscapes(read.bytes, charset);
    }
    look();
  });
  const parsed = () => (kind === "hex" ? parseHex(data.value) : parseEscapes(data.value, charset));
  function look() {
    const read = parsed();
    setText(fault, read.fault === null ? "" : t(read.fault.id, { at: read.fault.at + 1, what: read.fault.what }));
    const length = (read.bytes?.length ?? 0) + ends.value.length / 2;
    setText(count, read.bytes === null ? "" : t("bytes.n", { n: length }));
    data.setAttribute("aria-invalid", String(read.fault !== null));
    return read;
  }
  data.addEventListener("input", look);
  const send = h("button", { type: "submit", class: "button primary" }, t("inject.send"));
  const form = h(
    "form",
    {
      class: "card inject",
      "aria-label": t("inject"),
      on: {
        submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          const read = look();
          if (read.bytes === null) {
            data.focus();
            return;
          }
          const hex = toHex(read.bytes) + ends.value;
          if (hex === "") {
            setText(fault, t("inject.nothing"));
            return;
          }
          const to = targets.value;
          void busy(send, async () => {
            await post("inject", { to, from: to === "line" ? "dte" : "peer", data_hex: hex });
            setText(fault, "");
            announce(t("inject.sent", { n: hex.length / 2 }));
          });
        },
      },
    },
    h("h2", {}, t("inject")),
    h(
      "div",
      { class: "send-row" },
      labelled(t("inject.to"), targets),
      labelled(t("inject.as"), kinds),
      labelled(t("inject.data"), data, { class: "grow" }),
      labelled(t("inject.end"), ends),
      send,
    ),
    h("div", { class: "toolbar" }, count, fault, h("p", { class: "hint" }, t("inject.text2"))),
  );
  data.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && isComposing(event)) {
      event.preventDefault();
    }
  });
  const showLinks = status.watch((now) => {
    if (!form.isConnected && form.dataset["was"] === "1") {
      showLinks();
      return;
    }
    form.dataset["was"] = form.isConnected ? "1" : "";
    for (const option of targets.options) {
      const number = Number(option.value.slice(4));
      option.disabled = option.value !== "line" && now !== null && now.links.find((link) => link.number === number)?.enabled === false;
    }
  });
  look();
  return form;
}
