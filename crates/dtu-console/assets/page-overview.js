// Overview: the device on one screen.
import { button, fill, foreign, h, setText, svg } from "./dom.js";
import * as format from "./format.js";
import { rates, ROOM } from "./history.js";
import { maybe, t, told } from "./i18n.js";
import { readOnce, status } from "./live.js";
import { busy, card, countdown, duration, empty, facts, isUp, spark, said } from "./parts.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Link} Link */
/** @typedef {import("./app.js").Page} Page */

/** @param {import("./app.js").Context} context @returns {Page} */
export function overview(context) {
  const device = deviceCard(context.session.fingerprint ?? "");
  const radio = radioCard(context.session.features.radio);
  const serial = serialCard();
  const losses = lossesCard();
  const links = h("div", { class: "links" });
  const others = h("div", { class: "grid" });
  const linkCards = new Map();
  const newcomer = empty(
    t("overview.noLinks"),
    t("overview.noLinksText"),
    context.mayWrite && h("a", { class: "button primary", href: "#settings/links" }, t("overview.setUp")),
  );
  const again = button(t("settings.again"), () => busy(again, readOnce), { class: "small" });
  const { live } = context.session.features;
  const element = h(
    "div",
    { class: live ? "stack" : "stack still" },
    live ? null : h("div", { class: "toolbar" }, h("p", { class: "hint" }, t("overview.still")), h("span", { class: "spacer" }), again),
    losses.element,
    newcomer,
    h("section", { "aria-label": t("overview.links") }, links),
    h("div", { class: "grid" }, device.element, radio.element, serial.element),
    others,
  );
  newcomer.hidden = true;
  const off = status.watch((now) => {
    if (now === null) {
      return;
    }
    device.show(now);
    radio.show(now);
    serial.show(now);
    losses.show(now);
    newcomer.hidden = now.links.some((link) => link.enabled) || now.mode?.number !== 0;
    for (const link of now.links) {
      let one = linkCards.get(link.number);
      if (one === undefined) {
        one = linkCard(link.number);
        linkCards.set(link.number, one);
        links.append(one.element);
      }
      one.show(link);
    }
    showOthers(others, now);
  });
  return { title: t("nav.overview"), element, end: off };
}

/** A place for a text that changes. */
function slot() {
  return h("span", {});
}

/** @param {HTMLElement} place @param {string | null | undefined} text */
function put(place, text) {
  if (place.dataset["text"] !== (text ?? "")) {
    place.dataset["text"] = text ?? "";
    fill(place, text ? foreign(text) : h("span", { class: "muted" }, format.NONE));
  }
}

/** @param {string} fingerprint */
function deviceCard(fingerprint) {
  const mode = slot();
  const phase = slot();
  const uptime = slot();
  const restarts = slot();
  const version = slot();
  const messages = slot();
  const list = facts([
    [t("device.mode"), mode],
    [t("device.phase"), phase],
    [t("device.uptime"), uptime],
    [t("device.restarts"), restarts],
    [t("device.messages"), messages],
    [t("device.version"), version],
    [t("device.certificate"), foreign(fingerprint)],
  ]);
  /** @type {HTMLElement} */ (list.lastElementChild).hidden = fingerprint === "";
  return {
    element: card(t("device"), [], list),
    /** @param {Status} now */
    show(now) {
      put(mode, now.mode === null ? null : `${told(now.mode.word)} (${now.mode.number})`);
      put(phase, told(now.phase));
      setText(uptime, duration(now.uptime));
      setText(restarts, format.count(now.restarts));
      setText(messages, format.count(now.messages_to_be_sent));
      put(version, now.version);
    },
  };
}

/** @param {"sim" | "real" | "none"} kind */
function radioCard(kind) {
  const operator = slot();
  const signal = slot();
  const bars = signalBars();
  const sim = slot();
  const registration = slot();
  const address = slot();
  const modem = slot();
  const missing = slot();
  const list = facts([
    [t("radio.operator"), operator],
    [t("radio.signal"), h("span", { class: "signal" }, bars.element, signal)],
    [t("radio.registration"), registration],
    [t("radio.sim"), sim],
    [t("radio.address"), address],
    [t("radio.modem"), modem],
    [t("radio.missing"), missing],
  ]);
  const missingRow = /** @type {HTMLElement} */ (list.lastElementChild);
  const note = h("p", { class: "hint" }, kind === "none" ? t("radio.none") : kind === "sim" ? t("radio.simulated") : "");
  note.hidden = kind === "real";
  return {
    element: card(t("radio"), [], note, kind === "none" ? facts([[t("radio.address"), address]]) : list),
    /** @param {Status} now */
    show(now) {
      const { radio } = now;
      put(operator, radio.operator);
      setText(signal, radio.signal_dbm !== null ? `${radio.signal_dbm} dBm`.replace("-", "−") : t(radio.signal === "none" ? "radio.noSignal" : "radio.unknownSignal"));
      bars.show(radio.signal_dbm);
      put(sim, told(radio.sim));
      put(registration, told(radio.registration));
      put(address, radio.address);
      put(modem, told(radio.modem));
      missingRow.hidden = radio.missing.length === 0;
      put(missing, radio.missing.join(", "));
    },
  };
}

function signalBars() {
  const bars = [0, 1, 2, 3, 4].map((place) => {
    const height = 3 + place * 2.5;
    return svg("rect", { x: place * 5, y: 14 - height, width: 3.5, height, rx: 1 });
  });
  return {
    element: svg("svg", { viewBox: "0 0 24 14", class: "bars", "aria-hidden": "true" }, ...bars),
    /** @param {number | null} dbm */
    show(dbm) {
      const filled = dbm === null ? 0 : Math.max(1, Math.min(5, Math.round((dbm + 111) / 10)));
      bars.forEach((bar, place) => bar.classList.toggle("full", place < filled));
    },
  };
}

function serialCard() {
  const line = slot();
  const state = slot();
  const baud = slot();
  const went = slot();
  const came = slot();
  const waiting = slot();
  const rate = spark();
  const list = facts([
    [t("serial.line"), line],
    [t("serial.state"), state],
    [t("serial.rate"), baud],
    [t("serial.in"), came],
    [t("serial.out"), went],
    [t("serial.waiting"), waiting],
  ]);
  return {
    element: card(t("serial"), [], list, rate),
    /** @param {Status} now */
    show({ serial }) {
      put(line, serial.line);
      put(state, told(serial.state));
      setText(baud, serial.baud === null ? format.NONE : `${format.count(serial.baud)} Bd`);
      setText(came, format.bytes(serial.bytes_in));
      setText(went, format.bytes(serial.bytes_out));
      setText(waiting, format.bytes(serial.waiting_bytes));
      rate.show(rates("line"), ROOM);
    },
  };
}

function lossesCard() {
  const head = h("p", { class: "losses-head" });
  const places = h("ul", { class: "losses" });
  return {
    element: h("section", { class: "card losses-card", "aria-label": t("losses") }, head, places),
    /** @param {Status} now */
    show({ drops }) {
      if (drops === null) {
        setText(head, t("losses.unknown"));
        places.hidden = true;
        return;
      }
      const isNone = drops.count === 0 && drops.bytes === 0;
      const since = drops.since === null ? "" : format.dateTime(Date.parse(drops.since));
      const text = t(since === "" ? "losses.sumAlone" : "losses.sum", {
        bytes: drops.bytes,
        size: format.count(drops.bytes),
        since,
      });
      setText(head, isNone ? text : `${text} ${t("losses.count", { n: drops.count })}`);
      head.parentElement?.classList.toggle("bad", drops.bytes > 0);
      // A reply or a RING that was not printed is told, though no byte of data went.
      head.parentElement?.classList.toggle("warn", !isNone && drops.bytes === 0);
      const told = drops.places.filter((place) => place.count > 0 || place.bytes > 0);
      const key = JSON.stringify(told);
      places.hidden = told.length === 0;
      if (places.dataset["key"] !== key) {
        places.dataset["key"] = key;
        const rows = told.map((place) =>
          h("li", {}, said(place.place), ` ${t("losses.place", { n: place.count, size: format.bytes(place.bytes) })}`),
        );
        fill(places, ...rows);
      }
    },
  };
}

/** @param {number} number */
function linkCard(number) {
  const target = h("p", { class: "link-target" });
  const state = h("span", { class: "pill" });
  const reason = h("p", { class: "link-reason" });
  const timer = h("p", { class: "link-timer" });
  const timerWhat = h("span", {});
  const timerLeft = countdown();
  timer.append(timerWhat, " ", timerLeft);
  const fillText = slot();
  const meter = h("progress", { class: "meter", max: "1", value: "0", "aria-label": t("link.cache") });
  const rate = spark();
  const outNow = slot();
  const inNow = slot();
  const sent = slot();
  const received = slot();
  const dropped = slot();
  const reconnects = slot();
  const rtt = slot();
  const body = h(
    "div",
    { class: "link-body" },
    reason,
    timer,
    h("div", { class: "link-cache" }, h("span", { class: "label" }, t("link.cache")), fillText, meter),
    h(
      "div",
      { class: "link-rate" },
      h("div", { class: "legend" }, h("span", { class: "key-out" }, outNow), h("span", { class: "key-in" }, inNow)),
      rate,
    ),
    facts([
      [t("link.sent"), sent],
      [t("link.received"), received],
      [t("link.dropped"), dropped],
      [t("link.reconnects"), reconnects],
      [t("link.rtt"), rtt],
    ]),
  );
  const element = card(t("link.n", { n: number }), [state], target, body);
  element.classList.add("link");
  return {
    element,
    /** @param {Link} link */
    show(link) {
      element.classList.toggle("off", !link.enabled);
      body.hidden = !link.enabled;
      put(target, link.enabled || link.address !== "" ? `${link.protocol} ${link.address}:${link.port}` : "");
      const word = link.enabled ? link.state : "off";
      setText(state, told(word) || format.NONE);
      state.dataset["kind"] = kindOf(link);
      // Waiting for data or as a backup is no fault; the reason of a lost connection is old then.
      const why = link.waiting_for && link.waiting_for !== "retry" ? told(link.waiting_for === "data" ? "no data" : link.waiting_for) : told(link.reason);
      put(reason, why);
      reason.hidden = why === "" || isUp(link);
      reason.classList.toggle("calm", kindOf(link) === "off");
      timer.hidden = link.timer === null;
      if (link.timer !== null) {
        setText(timerWhat, timerWord(link.timer.what));
        timerLeft.set(link.timer.seconds);
      }
      const room = link.cache_bytes ?? 0;
      const waiting = { n: link.waiting_frames ?? format.NONE, size: format.bytes(link.waiting_bytes) };
      const inRoom = () => t("link.waiting", { ...waiting, room: format.bytes(room) });
      setText(fillText, room > 0 ? inRoom() : frames(link.waiting_frames, link.waiting_bytes));
      meter.hidden = room === 0;
      meter.value = room > 0 ? Math.min(1, (link.waiting_bytes ?? 0) / room) : 0;
      meter.dataset["full"] = String(meter.value > 0.8);
      const history = rates(`link${link.number}`);
      const now = history.at(-1) ?? { out: 0, in: 0 };
      setText(outNow, t("link.out", { rate: format.bytes(Math.round(now.out)) }));
      setText(inNow, t("link.in", { rate: format.bytes(Math.round(now.in)) }));
      rate.show(history, ROOM);
      setText(sent, frames(link.frames_out, link.bytes_out));
      setText(received, format.bytes(link.received_bytes ?? link.bytes_in));
      setText(dropped, frames(link.dropped_frames, link.dropped_bytes));
      dropped.classList.toggle("bad-text", (link.dropped_frames ?? 0) > 0);
      setText(reconnects, format.count(link.reconnects));
      setText(rtt, link.rtt_ms === null ? format.NONE : `${Math.round(link.rtt_ms)} ms`);
    },
  };
}

/** @param {number | null} count @param {number | null} size */
function frames(count, size) {
  return count === null ? format.NONE : t("link.frames", { n: format.count(count), size: format.bytes(size) });
}

/** @param {Link} link */
function kindOf(link) {
  if (!link.enabled || ["data", "primary", "mode"].includes(link.waiting_for ?? "")) {
    return "off";
  }
  return isUp(link) ? "good" : link.state === "connecting" ? "wait" : "bad";
}

/** @param {string} what */
function timerWord(what) {
  return maybe(`timer.${what}`) ?? what;
}

/** @param {HTMLElement} place @param {Status} now */
function showOthers(place, now) {
  const parts = /** @type {const} */ ([
    ["httpd", t("httpd"), 3],
    ["serial_command", t("serialCommand"), 1],
  ]);
  const shown = parts.filter(([key, , mode]) => now[key] && now.mode?.number === mode);
  const key = JSON.stringify(shown.map(([of]) => now[of]));
  if (place.dataset["key"] === key) {
    return;
  }
  place.dataset["key"] = key;
  const cards = shown.map(([of, title]) => {
    /** @type {Array<[string, import("./dom.js").Child]>} */
    const rows = Object.entries(now[of] ?? {}).map(([name, value]) => [
      told(name.replaceAll("_", " ")),
      foreign(typeof value === "object" ? JSON.stringify(value) : told(String(value))),
    ]);
    return card(title, [], facts(rows));
  });
  fill(place, ...cards);
  place.hidden = cards.length === 0;
}
