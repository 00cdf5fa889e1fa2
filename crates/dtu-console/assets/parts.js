// What several pages are made of: lights, lines, dialogs, notices.
import { ApiError } from "./api.js";
import { button, fill, foreign, h, newId, setText, svg } from "./dom.js";
import * as format from "./format.js";
import { language, sentence, t } from "./i18n.js";
import { visible } from "./visible.js";
import { status, statusAt } from "./live.js";

/** @typedef {import("./dom.js").Child} Child */

/** A light with a word: colour alone says nothing. */
class Led extends HTMLElement {
  static observedAttributes = ["state"];

  #word = h("span", { class: "led-word" });

  connectedCallback() {
    if (this.childElementCount === 0) {
      this.append(
        h("span", { class: "led-lamp", "aria-hidden": "true" }),
        h("span", { class: "led-name" }, this.getAttribute("name") ?? ""),
        this.#word,
      );
    }
    this.attributeChangedCallback();
  }

  attributeChangedCallback() {
    const state = this.getAttribute("state");
    const id = state === "on" ? "led.on" : state === "busy" ? "led.busy" : state === "off" ? "led.off" : "led.unknown";
    setText(this.#word, t(id));
  }
}

/** Bytes a second over the last two minutes: what went out above what came in. */
class Spark extends HTMLElement {
  static width = 240;
  static height = 36;

  #out = svg("polyline", { class: "spark-out" });
  #in = svg("polyline", { class: "spark-in" });

  connectedCallback() {
    if (this.childElementCount === 0) {
      const box = { viewBox: `0 0 ${Spark.width} ${Spark.height}`, preserveAspectRatio: "none", "aria-hidden": "true" };
      this.append(svg("svg", box, this.#in, this.#out));
    }
  }

  /** @param {{out: number, in: number}[]} samples @param {number} room */
  show(samples, room) {
    const top = Math.max(1, ...samples.map((sample) => Math.max(sample.out, sample.in)));
    const step = Spark.width / Math.max(1, room - 1);
    const start = room - samples.length;
    /** @param {"out" | "in"} way */
    const points = (way) =>
      samples
        .map((sample, place) => {
          const y = Spark.height - 1.5 - (sample[way] / top) * (Spark.height - 3);
          return `${((start + place) * step).toFixed(1)},${y.toFixed(1)}`;
        })
        .join(" ");
    this.#out.setAttribute("points", points("out"));
    this.#in.setAttribute("points", points("in"));
  }
}

/** A time that runs down between two words of the device; it stands still while nobody is there. */
class Countdown extends HTMLElement {
  #left = 0;
  #from = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    this.#timer = setInterval(() => this.#show(), 500);
    this.#show();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  /** @param {number} seconds left when the last status came */
  set(seconds) {
    this.#left = seconds;
    this.#from = statusAt;
    this.#show();
  }

  get seconds() {
    return Math.max(0, this.#left - (performance.now() - this.#from) / 1000);
  }

  #show() {
    const isLost = document.documentElement.dataset["connection"] === "lost";
    setText(this, isLost ? "–:––" : format.clock(this.seconds));
  }
}

customElements.define("dtu-led", Led);
customElements.define("dtu-spark", Spark);
customElements.define("dtu-countdown", Countdown);

/** @param {string} name */
export function led(name) {
  return /** @type {Led} */ (make("dtu-led", { name, state: "unknown" }));
}

export function spark() {
  return /** @type {Spark} */ (make("dtu-spark", {}));
}

export function countdown() {
  return /** @type {Countdown} */ (make("dtu-countdown", {}));
}

/** @param {string} tag @param {Record<string, string>} attributes */
function make(tag, attributes) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  return element;
}

/** @param {number | null} seconds */
export function duration(seconds) {
  if (seconds === null) {
    return format.NONE;
  }
  const parts = format.durationParts(seconds);
  return parts.map(([unit, value]) => t(`unit.${unit}`, { n: value })).join(" ");
}

/**
 * A card with a head.
 * @param {Child} title
 * @param {Child[]} head what stands beside the title
 * @param {...Child} children
 */
export function card(title, head, ...children) {
  const id = newId("card");
  return h(
    "section",
    { class: "card", "aria-labelledby": id },
    h("div", { class: "card-head" }, h("h2", { id }, title), ...head),
    ...children,
  );
}

/**
 * Where nothing is yet: what would stand here, and what to do.
 * @param {string} title
 * @param {string} text
 * @param {...Child} actions
 */
export function empty(title, text, ...actions) {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, title),
    h("p", {}, text),
    actions.length > 0 && h("div", { class: "actions" }, ...actions),
  );
}

/**
 * A list of names and values. A value is a live node or text.
 * @param {Array<[string, Child]>} rows
 */
export function facts(rows) {
  return h(
    "dl",
    { class: "facts" },
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/**
 * A control with its label above, and a hint below.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {{hint?: string, class?: string}} [more]
 */
export function labelled(label, control, more = {}) {
  control.id ||= newId("f");
  const hint = more.hint ? h("p", { class: "hint", id: newId("hint") }, more.hint) : null;
  if (hint) {
    control.setAttribute("aria-describedby", hint.id);
  }
  return h(
    "div",
    { class: `control ${more.class ?? ""}`.trim() },
    h("label", { for: control.id }, label),
    control,
    hint,
  );
}

/**
 * @param {Array<[string, string]>} options value and text
 * @param {string} value
 * @param {(value: string) => void} change
 */
export function select(options, value, change) {
  const element = h(
    "select",
    { on: { change: () => change(element.value) } },
    ...options.map(([of, text]) => h("option", { value: of, selected: of === value }, text)),
  );
  return element;
}

/**
 * @param {string} text
 * @param {boolean} checked
 * @param {(checked: boolean) => void} change
 */
export function tick(text, checked, change) {
  const box = h("input", { type: "checkbox", checked, on: { change: () => change(box.checked) } });
  return h("label", { class: "tick" }, box, h("span", {}, text));
}

/**
 * A dialog. It ends with the value of the action, or with null.
 * @param {{title: string, body: Child[], actions: {text: string, value: string, class?: string}[], wide?: boolean,
 *   first?: HTMLElement}} what
 * @returns {Promise<string | null>}
 */
export function ask(what) {
  const id = newId("dialog");
  const returnTo = document.activeElement;
  const dialog = h("dialog", { class: what.wide ? "dialog wide" : "dialog", "aria-labelledby": id });
  const buttons = what.actions.map((action) =>
    button(action.text, () => dialog.close(action.value), { class: action.class ?? "" }),
  );
  const cancel = button(t("do.cancel"), () => dialog.close(""), { class: "quiet" });
  put(dialog, id, what, [cancel, ...buttons]);
  document.body.append(dialog);
  dialog.showModal();
  (what.first ?? cancel).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (returnTo instanceof HTMLElement && returnTo.isConnected) {
        returnTo.focus();
      }
      resolve(dialog.returnValue === "" ? null : dialog.returnValue);
    });
  });
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {string} id
 * @param {{title: string, body: Child[]}} what
 * @param {HTMLElement[]} buttons
 */
function put(dialog, id, what, buttons) {
  dialog.append(
    h("h2", { id }, what.title),
    h("div", { class: "dialog-body" }, ...what.body),
    h("div", { class: "actions dialog-actions" }, ...buttons),
  );
}

const polite = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
const notices = h("div", { class: "notices", role: "status" });
document.body.append(polite, notices);

/** Says something to a screen reader only. @param {string} text */
export function announce(text) {
  polite.textContent = visible(text);
}

/**
 * A short message at the edge of the page. A bad one stays until it is closed.
 * @param {Child} text
 * @param {"good" | "bad" | "plain"} [kind]
 */
export function notice(text, kind = "good") {
  const close = button("×", () => note.remove(), { class: "quiet close", "aria-label": t("do.close") });
  const note = h("div", { class: `notice ${kind}` }, h("div", {}, text), close);
  notices.append(note);
  while (notices.childElementCount > 3) {
    notices.firstElementChild?.remove();
  }
  if (kind !== "bad") {
    setTimeout(() => note.remove(), 6000);
  }
}

/** What went wrong, in words of the page where it has them. @param {unknown} error */
export function complain(error) {
  if (!(error instanceof ApiError)) {
    throw error;
  }
  if (error.status !== 401) {
    notice(reason(error), "bad");
  }
}

/** @param {ApiError} error */
export function reason(error) {
  if (error.id === "offline") {
    return t("error.offline");
  }
  if (error.id === "busy") {
    return t("error.busy");
  }
  if (error.id === "viewer") {
    return t("error.viewer");
  }
  if (error.id === "trial") {
    return t("error.trial", { seconds: Math.round(Number(error.body["trial"]?.seconds_left ?? 0)) });
  }
  if (error.id === "csrf") {
    return t("error.csrf");
  }
  return said(error.message, error.body["message_zh"]);
}

/**
 * A sentence of the device; in English where the page is not, and has no Chinese for it.
 * @param {string} text
 * @param {unknown} [zh] what came with it
 */
export function said(text, zh) {
  if (language() === "zh" && typeof zh === "string") {
    return foreign(zh);
  }
  const [words, lang] = sentence(text);
  const element = foreign(words);
  if (lang !== null) {
    element.lang = lang;
  }
  return element;
}

/**
 * Runs what a button does, once at a time, and says what goes wrong.
 * @param {HTMLButtonElement} element
 * @param {() => Promise<void>} act
 */
export async function busy(element, act) {
  if (element.getAttribute("aria-busy") === "true") {
    return;
  }
  element.setAttribute("aria-busy", "true");
  try {
    await act();
  } catch (error) {
    complain(error);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/**
 * What an apply costs, in words; nothing where no link drops.
 * @param {import("./types.js").Check["cost"] | undefined} cost
 * @param {boolean} isTrial
 */
export function costInWords(cost, isTrial) {
  const own = (isTrial ? cost?.on_trial : null) ?? cost?.at_once;
  return own === undefined || own.links === 0 ? "" : t("cost", { up: own.links, waiting: own.frames });
}

/** What a restart costs now, in words. */
export function costOfRestart() {
  const links = status.get()?.links ?? [];
  const up = links.filter((link) => isUp(link)).length;
  const waiting = links.reduce((sum, link) => sum + (link.waiting_frames ?? 0), 0);
  return t("cost", { up, waiting });
}

/** @param {import("./types.js").Link} link */
export function isUp(link) {
  return link.state === "connected";
}

/**
 * Copies a text. On plain http there is no clipboard API, so a field is copied there.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "unseen copied", readonly: true, "aria-hidden": "true", tabindex: "-1" });
    field.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    const focused = document.activeElement;
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    if (focused instanceof HTMLElement) {
      focused.focus();
    }
    return isDone;
  }
}

/**
 * Saves a file that the page has.
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export { fill };
