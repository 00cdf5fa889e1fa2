// What changes the device: the review of a draft, the trial, storing, restart, factory values.
import { ApiError, post } from "./api.js";
import { foreign, h, setText } from "./dom.js";
import * as draft from "./draft.js";
import { worded } from "./field.js";
import { t, told } from "./i18n.js";
import { readOnce, status } from "./live.js";
import { ask, costInWords, costOfRestart, labelled, notice, reason, said, tick } from "./parts.js";

/** @typedef {import("./types.js").Check} Check */
/** @typedef {import("./types.js").Applied} Applied */
/** @typedef {import("./app.js").Context} Context */

const TRIAL = { min: 10, max: 3600, usual: 120 };

/**
 * Shows what would change, then applies it.
 * @param {Context} context
 * @param {Record<string, string>} values
 * @param {Check} check
 * @param {() => Promise<void>} done
 */
export async function apply(context, values, check, done) {
  const canTry = context.session.features.confirm;
  const seconds = h("input", { type: "text", inputmode: "numeric", value: String(TRIAL.usual), class: "number" });
  const trial = tick(t("apply.trial"), canTry, (on) => {
    time.hidden = !on;
    describe();
  });
  const box = /** @type {HTMLInputElement} */ (trial.querySelector("input"));
  const time = labelled(t("apply.seconds"), seconds, { hint: t("apply.secondsHint", TRIAL) });
  const note = h("p", { class: "hint" });
  const cost = h("p", { class: "banner warn", role: "status" });
  const along = h("p", { class: "banner warn", role: "status" });
  const applied = h("p", { class: "banner warn", role: "status" });
  const describe = () => {
    setText(note, !canTry ? t("apply.noTrial") : box.checked ? t("apply.trialText") : t("apply.forGood"));
    const text = costInWords(check.cost, canTry && box.checked);
    setText(cost, `${t("apply.cost")} ${text}`);
    cost.hidden = text === "";
    const isTrial = canTry && box.checked;
    const others = isTrial ? check.along.on_trial : check.along.at_once;
    const values = { n: others?.length ?? 0, what: named(others ?? []) };
    setText(along, t(!isTrial ? "along.stored" : others === null ? "along.unknown" : "along.trial", values));
    along.hidden = others === null ? !isTrial : others.length === 0;
    // Keep stores all that runs, also what was applied before and no trial takes back.
    const { on_trial: goBack, at_once: all } = check.along;
    const stay = isTrial && all !== null ? all.filter((key) => !goBack?.includes(key)) : [];
    setText(applied, t("along.applied", { n: stay.length, what: named(stay) }));
    applied.hidden = stay.length === 0;
  };
  describe();
  trial.hidden = !canTry;
  time.hidden = !canTry;
  const lines = h(
    "details",
    {},
    h("summary", {}, t("apply.lines", { n: check.lines.length })),
    h("pre", { class: "code", tabindex: "0" }, ...check.lines.flatMap((line) => [foreign(line), "\n"])),
  );
  const answer = await ask({
    title: t("apply.title"),
    wide: true,
    body: [diffTable(check), cost, along, applied, check.lines.length > 0 && lines, trial, time, note],
    actions: [{ text: t("apply.do"), value: "apply", class: "primary" }],
  });
  if (answer === null) {
    return;
  }
  const wanted = Number(seconds.value.trim());
  const bounded = Number.isFinite(wanted) && wanted > 0 ? wanted : TRIAL.usual;
  const confirm = canTry && box.checked ? Math.min(TRIAL.max, Math.max(TRIAL.min, Math.round(bounded))) : null;
  /** @type {string[]} */
  let over = [];
  draft.sending(values);
  try {
    over = await send(values, confirm);
    if (!context.session.features.live) {
      await readOnce();
    }
    await done();
  } finally {
    // Only now: until the device is read again, what was read before would show as its value.
    draft.settle(over);
  }
}

/**
 * Says of which keys the draft is over.
 * @param {Record<string, string>} values
 * @param {number | null} confirm
 * @returns {Promise<string[]>}
 */
async function send(values, confirm) {
  try {
    const headers = { "If-Match": draft.settings.get()?.etag ?? "" };
    const applied = /** @type {Applied} */ (await post("apply", { values, confirm }, { headers }));
    return await tell(applied, values);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    if (error.status === 412) {
      return conflict(error.body, values);
    }
    notice(reason(error), "bad");
    return [];
  }
}

/** What people call these. @param {string[]} keys */
export function named(keys) {
  return keys.map(draft.labelOf).join(", ");
}

/** @param {Check} check */
function diffTable(check) {
  const rows = check.changes.map((change) => {
    const field = draft.fieldOf(change.key);
    const show = (/** @type {string | null} */ value) => {
      if (field?.secret) {
        return h("span", { class: "muted" }, value === null ? t("field.secret") : draft.UNCHANGED);
      }
      if (value === null) {
        return h("span", { class: "muted" }, t("field.unknown"));
      }
      return value === "" ? h("span", { class: "muted" }, t("field.none")) : field ? worded(field, change.key, value) : foreign(value);
    };
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, draft.labelOf(change.key), h("code", { class: "at-name" }, change.key)),
      h("td", { class: "from" }, h("span", { class: "unseen" }, t("diff.from")), h("del", {}, show(change.from))),
      h("td", { class: "to" }, h("span", { class: "unseen" }, t("diff.to")), h("ins", {}, show(change.to))),
      h("td", { class: "when" }, told(change.takes_effect)),
    );
  });
  return h(
    "div",
    { class: "table-box", tabindex: "0", role: "region", "aria-label": t("apply.title") },
    h(
      "table",
      { class: "diff" },
      h("thead", {}, h("tr", {}, ...[t("diff.what"), t("diff.from"), t("diff.to"), t("diff.when")].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...rows),
    ),
  );
}

/**
 * Says how it went, and of which keys the draft is over.
 * @param {Applied} applied
 * @param {Record<string, string>} values
 * @returns {Promise<string[]>}
 */
async function tell(applied, values) {
  const keys = Object.keys(values);
  const unverified = applied.not_verifiable ?? [];
  let over = keys;
  if (applied.outcome === "nothing") {
    notice(t("apply.nothing"), "plain");
  } else if (applied.outcome === "done") {
    notice(t("apply.done", { n: keys.length }));
  } else if (applied.outcome === "trial") {
    // The draft stays until it is kept: if it is rolled back, it is still there. Secrets were sent.
    over = keys.filter((key) => draft.fieldOf(key)?.secret);
    draft.onTrial(applied.trial?.id ?? null, values);
    notice(t("apply.onTrial", { seconds: Math.round(applied.trial?.seconds_left ?? 0) }));
  } else {
    await report(applied);
    return [];
  }
  if (unverified.length > 0) {
    notice(t("apply.notVerifiable", { keys: unverified.join(", ") }), "plain");
  }
  return over;
}

/** What failed, and whether the old values are back. @param {Applied} applied */
async function report(applied) {
  const texts = (/** @type {unknown[]} */ list) => list.map((it) => (typeof it === "string" ? it : JSON.stringify(it)));
  const failure = typeof applied.failure === "string" ? applied.failure : JSON.stringify(applied.failure ?? "");
  const left = texts(applied.left ?? []);
  const steps = texts(applied.steps ?? []).map((step, at) => said(step, applied.steps_zh?.[at]));
  await ask({
    title: t(applied.outcome === "put_back" ? "apply.putBack" : "apply.mixed"),
    wide: true,
    body: [
      h("p", { class: "banner bad" }, said(failure, applied.failure_zh)),
      h("p", {}, t(applied.outcome === "put_back" ? "apply.putBackText" : "apply.mixedText")),
      left.length > 0 && h("ul", {}, ...left.map((it) => h("li", {}, said(it)))),
      steps.length > 0 && h("details", {}, h("summary", {}, t("apply.steps")), h("ol", {}, ...steps.map((it) => h("li", {}, it)))),
    ],
    actions: [],
  });
}

/**
 * Somebody else set the device meanwhile: which keys are theirs to decide.
 * @param {Record<string, any>} body
 * @param {Record<string, string>} values
 * @returns {Promise<string[]>}
 */
async function conflict(body, values) {
  const mine = asValues(body["mine"]) ?? values;
  const theirs = asValues(body["theirs"]) ?? {};
  const base = asValues(body["base"]) ?? {};
  const keys = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].filter((key) => {
    const isMine = key in mine && mine[key] !== theirs[key];
    return isMine || (theirs[key] !== undefined && theirs[key] !== base[key]);
  });
  /** @type {Map<string, string>} */
  const choice = new Map();
  const show = (/** @type {string} */ key, /** @type {string | undefined} */ value) => {
    const field = draft.fieldOf(key);
    return field?.secret ? foreign(draft.UNCHANGED) : value === undefined ? "–" : field ? worded(field, key, value) : foreign(value);
  };
  const rows = keys.map((key) => {
    const isBoth = key in mine;
    choice.set(key, isBoth ? "mine" : "theirs");
    const pick = (/** @type {string} */ of, /** @type {import("./dom.js").Child} */ child) =>
      h(
        "label",
        { class: "tick" },
        h("input", { type: "radio", name: `conflict-${key}`, checked: choice.get(key) === of, disabled: !isBoth && of === "mine", on: { change: () => choice.set(key, of) } }),
        h("span", {}, child),
      );
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, draft.labelOf(key), h("code", { class: "at-name" }, key)),
      h("td", {}, h("span", { class: "unseen" }, t("conflict.mine")), isBoth ? pick("mine", show(key, mine[key])) : "–"),
      h("td", {}, h("span", { class: "unseen" }, t("conflict.theirs")), isBoth ? pick("theirs", show(key, theirs[key])) : show(key, theirs[key])),
      h("td", {}, show(key, base[key])),
    );
  });
  const heads = [t("diff.what"), t("conflict.mine"), t("conflict.theirs"), t("conflict.base")];
  const answer = await ask({
    title: t("conflict.title"),
    wide: true,
    body: [
      h("p", {}, t("conflict.text")),
      h(
        "div",
        { class: "table-box", tabindex: "0", role: "region", "aria-label": t("conflict.title") },
        h(
          "table",
          { class: "diff" },
          h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, ...rows),
        ),
      ),
    ],
    actions: [{ text: t("conflict.do"), value: "take", class: "primary" }],
  });
  return answer === null ? [] : keys.filter((key) => choice.get(key) === "theirs");
}

/** @param {unknown} value @returns {Record<string, string> | null} */
function asValues(value) {
  if (value === null || typeof value !== "object") {
    return null;
  }
  const text = (/** @type {any} */ it) => (it !== null && typeof it === "object" ? String(it.running ?? it.stored ?? "") : String(it ?? ""));
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, text(it)]));
}

/** @param {() => Promise<void>} done */
export async function store(done) {
  await post("save");
  notice(t("store.done"));
  await done();
}

/** @param {() => Promise<void>} done */
export async function restart(done) {
  const answer = await ask({
    title: t("restart.title"),
    body: [h("p", {}, t("restart.text")), h("p", { class: "banner warn" }, costOfRestart()), notStored()],
    actions: [{ text: t("restart.do"), value: "restart", class: "primary" }],
  });
  if (answer !== null) {
    await post("restart");
    notice(t("restart.done"));
    await done();
  }
}

/** @param {() => Promise<void>} done */
export async function factory(done) {
  const answer = await ask({
    title: t("factory.title"),
    body: [h("p", {}, t("factory.text")), h("p", { class: "banner bad" }, costOfRestart()), h("p", {}, t("factory.advice"))],
    actions: [{ text: t("factory.do"), value: "factory", class: "danger" }],
  });
  if (answer !== null) {
    await post("factory");
    notice(t("factory.done"));
    await done();
  }
}

function notStored() {
  const keys = status.get()?.not_stored ?? [];
  return keys.length === 0 ? null : h("p", {}, t("restart.notStored", { n: keys.length, keys: keys.join(", ") }));
}
