// SMS and calls: the simulated phone as a chat, or the inbox of a real radio.
import { get, post } from "./api.js";
import { narrow } from "./bytes.js";
import { button, fill, foreign, h, isComposing, setText } from "./dom.js";
import * as format from "./format.js";
import { t, told } from "./i18n.js";
import { status } from "./live.js";
import { announce, busy, complain, empty, labelled } from "./parts.js";
import { forBrowser } from "./store.js";

/** @typedef {import("./types.js").Messages} Messages */
/** @typedef {import("./app.js").Context} Context */
/** @typedef {import("./app.js").Page} Page */

const LOOK_MS = 2000;
const SHOWN = 200;
const CALLS = 3;
const USUAL = "+8613912345678";

/** @param {Context} context @returns {Page} */
export function phonePage(context) {
  const { radio } = context.session.features;
  if (radio === "none") {
    return { title: t("nav.phone"), element: empty(t("phone.none"), t("phone.noneText")), end() {} };
  }
  const isSim = radio === "sim";
  const chat = h("ol", { class: "chat" });
  const box = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": t("phone.messages") }, chat);
  const nobody = empty(t("phone.empty"), isSim ? t("phone.emptySim") : t("phone.emptyReal"));
  box.append(nobody);
  const own = h("span", { class: "foreign" });
  const calls = h("p", { class: "call", role: "status" });
  const older = h("p", { class: "hint", hidden: true });
  const number = h("input", { type: "tel", inputmode: "tel", autocomplete: "off", value: forBrowser.get("phone") ?? USUAL, class: "mono" });
  const text = h("textarea", { rows: "2", placeholder: t("phone.placeholder") });
  const send = h("button", { type: "submit", class: "button primary" }, t("phone.send"));
  const ring = button(t("phone.ring"), () => busy(ring, async () => {
    await post("call", { number: from() });
    await look();
  }));
  const hangUp = button(t("phone.hangUp"), () => busy(hangUp, async () => {
    await post("hangup", {});
    await look();
  }), { class: "danger" });
  hangUp.hidden = true;
  const from = () => {
    const value = narrow(number.value).replace(/[\s().-]/g, "");
    forBrowser.set("phone", value === USUAL ? null : `"${value}"`);
    return value;
  };
  const form = h(
    "form",
    {
      class: "phone-form",
      on: {
        submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          if (text.value === "") {
            text.focus();
            return;
          }
          void busy(send, async () => {
            await post("sms", { from: from(), text: text.value });
            text.value = "";
            await look();
          });
        },
      },
    },
    labelled(t("phone.number"), number),
    labelled(t("phone.text"), text, { class: "grow" }),
    h("div", { class: "actions" }, send, ring, hangUp),
  );
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !isComposing(event)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  let key = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isEnded = false;
  async function look() {
    clearTimeout(timer);
    try {
      show(await get("messages"));
    } finally {
      if (!isEnded && context.session.features.live) {
        timer = setTimeout(() => void look().catch(() => {}), LOOK_MS);
      }
    }
  }

  /** @param {Messages} now */
  function show(now) {
    const next = JSON.stringify(now);
    if (next === key) {
      return;
    }
    const before = chat.childElementCount;
    key = next;
    setText(own, now.phone ?? t(context.mayRead ? "phone.unknown" : "phone.hidden"));
    const isOwn = (/** @type {string} */ who) => who === "device" || (now.phone !== null && who === now.phone);
    const items = now.items.slice(-SHOWN);
    if (items.length > 0) {
      nobody.remove();
    }
    fill(chat, ...items.map((item) => messageElement(item, item.from !== null && isOwn(item.from))));
    if (chat.childElementCount !== before) {
      box.scrollTop = box.scrollHeight;
      const last = items.at(-1);
      if (before > 0 && last) {
        announce(last.text === null ? t("phone.heardOne") : t("phone.heard", { from: last.from ?? "", text: last.text.slice(0, 200) }));
      }
    }
    older.hidden = !now.forgotten;
    setText(older, t("phone.forgotten", { n: now.forgotten ?? 0 }));
    const active = now.calls.filter((call) => call.state !== "ended");
    calls.hidden = now.calls.length === 0;
    const shownCalls = now.calls.slice(-CALLS).map((call) => {
      const why = call.why ? ` (${told(call.why)})` : "";
      const kind = active.includes(call) ? "good" : "off";
      return h("span", { class: "pill", "data-kind": kind }, foreign(call.number ?? "****"), " ", told(call.state), why);
    });
    fill(calls, ...shownCalls);
    hangUp.hidden = active.length === 0;
  }

  const off = isSim ? () => {} : status.watch(() => {});
  look().catch(complain);
  return {
    title: t("nav.phone"),
    element: h(
      "div",
      { class: "phone" },
      h("div", { class: "toolbar" }, h("p", {}, isSim ? t("phone.sim") : t("phone.real"), " ", t("phone.own"), " ", own), h("span", { class: "spacer" }), calls),
      older,
      box,
      isSim && context.mayWrite ? form : null,
    ),
    end() {
      isEnded = true;
      clearTimeout(timer);
      off();
    },
  };
}

/**
 * From whom to whom; a viewer does not see it.
 * @param {Messages["items"][number]} item
 * @param {boolean} isOwn
 */
function who(item, isOwn) {
  if (item.from === null || item.to === null) {
    return [foreign("****")];
  }
  return isOwn ? [t("phone.device"), " → ", foreign(item.to)] : [foreign(item.from), " → ", t("phone.device")];
}

/** @param {Messages["items"][number]} item @param {boolean} isOwn of the device */
function messageElement(item, isOwn) {
  const at = typeof item.at === "number" ? item.at : Date.parse(item.at);
  const details = [format.dateTime(at), item.parts > 1 ? t("phone.parts", { n: item.parts }) : "", told(item.state)];
  return h(
    "li",
    { class: isOwn ? "bubble own" : "bubble" },
    h("p", { class: "bubble-who" }, ...who(item, isOwn)),
    item.text === null
      ? h("p", { class: "bubble-text muted" }, t("phone.hidden"))
      : h("p", { class: "bubble-text" }, ...item.text.split(/\r\n|\n/).flatMap((line) => [foreign(line), "\n"])),
    h("p", { class: "hint" }, details.filter((it) => it !== "").join(" · ")),
  );
}
