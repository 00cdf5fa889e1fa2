// The shell: session, head, banners, and one page at a time by the hash.
import { ApiError, get, post, setCsrf, setPatience, whenLoginNeeded } from "./api.js";
import { named } from "./apply.js";
import { button, fill, foreign, h, icon, setText } from "./dom.js";
import * as draft from "./draft.js";
import * as format from "./format.js";
import { isBusy, keepHistory } from "./history.js";
import { language, setLanguage, t } from "./i18n.js";
import * as live from "./live.js";
import { atPage } from "./page-at.js";
import { logPage } from "./page-log.js";
import { loginPage } from "./page-login.js";
import { overview } from "./page-overview.js";
import { phonePage } from "./page-phone.js";
import { settingsPage } from "./page-settings.js";
import { traffic } from "./page-traffic.js";
import { announce, busy, countdown, led, notice, select } from "./parts.js";
import { forBrowser } from "./store.js";
import { visible } from "./visible.js";

/** @typedef {import("./types.js").Session} Session */
/** @typedef {{session: Session, mayWrite: boolean, mayRead: boolean, part: string}} Context */
/**
 * @typedef {{title: string, element: HTMLElement, end(): void, part?(part: string): void, focus?: HTMLElement}} Page
 */

const ICONS = {
  overview: "M3 3h6v8H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 13h6v4H3z",
  settings: "M3 5h8M15 5h2M3 10h2M9 10h8M3 15h8M15 15h2M13 3v4M7 8v4M13 13v4",
  traffic: "M3 7h12l-3-3M17 13H5l3 3",
  at: "M4 5l5 5-5 5M10 15h6",
  phone: "M3 4h14v9H9l-4 3v-3H3z",
  log: "M4 4h12M4 8h12M4 12h8M4 16h10",
};

/** @type {Array<[keyof typeof ICONS, (context: Context) => Page]>} */
const PAGES = [
  ["overview", overview],
  ["settings", settingsPage],
  ["traffic", traffic],
  ["at", atPage],
  ["phone", phonePage],
  ["log", logPage],
];

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
/** @type {Session | null} */
let session = null;
/** @type {Page | null} */
let page = null;
let pageName = "";
/** @type {Array<() => void>} */
let ends = [];
const main = h("main", { id: "main", tabindex: "-1" });
/** The version that this page was loaded with. */
let version = "";
/** What needs more than to look: the console sends a viewer no settings, messages, log. */
const FOR_VIEWERS = ["overview", "traffic"];

/** @param {Session} next */
function setSession(next) {
  session = next;
  setCsrf(next.csrf);
  setPatience(next.patience);
  version ||= versionOf(next);
}

/** A page of other files is another version too. @param {Session} of */
function versionOf(of) {
  return `${of.version} ${of.assets ?? ""}`;
}

/** The pages of this device and this person. @param {string} name */
function isOffered(name) {
  const { features, who } = /** @type {Session} */ (session);
  const isLive = name === "traffic" || name === "log" || name === "phone";
  const isKnown = PAGES.some(([of]) => of === name);
  const isAllowed = who !== "viewer" || FOR_VIEWERS.includes(name);
  return isKnown && isAllowed && (!isLive || features.live) && (name !== "phone" || features.radio !== "none");
}

/** @returns {Context} */
function context() {
  const who = session?.who;
  const part = session?.who ? route()[1] : "";
  return {
    session: /** @type {Session} */ (session),
    mayWrite: who === "local" || who === "owner",
    mayRead: who === "local" || who === "owner",
    part,
  };
}

/** @returns {[string, string]} */
function route() {
  const [name = "", part = ""] = location.hash.replace(/^#/, "").split("/");
  return [isOffered(name) ? name : "overview", part];
}

function build() {
  for (const end of ends) {
    end();
  }
  ends = [];
  page?.end();
  page = null;
  pageName = "";
  const isIn = session !== null && session.who !== null;
  const skip = h(
    "a",
    {
      class: "skip",
      href: "#main",
      on: {
        click: (/** @type {Event} */ event) => {
          event.preventDefault();
          main.focus();
        },
      },
    },
    t("skip"),
  );
  fill(root, skip, head(isIn), isIn ? navigation() : null, banners(isIn), main);
  document.documentElement.classList.toggle("logged-out", !isIn);
  show(false);
}

/** @param {boolean} isIn */
function head(isIn) {
  const name = session?.features?.name ?? "";
  const brand = h("a", { class: "brand", href: "#overview" }, mark(), h("span", {}, "DTU"), name !== "" && foreign(name, "device-name"));
  const element = h("header", { class: "head" }, brand);
  if (isIn) {
    element.append(leds(), unstored());
  }
  const themes = select([["", t("theme.auto")], ["light", t("theme.light")], ["dark", t("theme.dark")]], forBrowser.get("theme") ?? "", (value) => {
    forBrowser.set("theme", value === "" ? null : value);
    dispatchEvent(new CustomEvent("dtu-theme", { detail: value }));
  });
  themes.setAttribute("aria-label", t("theme"));
  const languages = select([["en", "English"], ["zh", "中文"]], language(), (value) => {
    void speak(value === "zh" ? "zh" : "en");
  });
  languages.setAttribute("aria-label", "Language / 语言");
  languages.lang = "en";
  const out = button(t("logout"), () =>
    busy(out, async () => {
      await post("logout");
      draft.forget();
      await enter();
    }), { class: "small quiet" });
  out.hidden = !isIn || session?.who === "local";
  element.append(h("div", { class: "choices" }, languages, themes, out));
  return element;
}

/** @param {import("./i18n.js").Language} wanted */
async function speak(wanted) {
  try {
    await setLanguage(wanted);
    forBrowser.set("language", wanted);
  } catch {
    notice(t("error.offline"), "bad");
  }
  build();
  /** @type {HTMLElement | null} */ (root.querySelector(".choices select"))?.focus();
}

function mark() {
  return icon("M2 13h4l2-9 4 14 2-5h4");
}

function leds() {
  const lamps = [led("POW"), led("NET"), led("DATA")];
  const [pow, net, data] = lamps;
  /** @param {string | null} value */
  const asState = (value) => {
    return value === "on" || value === "off" ? value : value === "blink" ? "busy" : "unknown";
  };
  const update = () => {
    const now = live.status.get()?.leds;
    if (now && pow && net && data) {
      pow.setAttribute("state", asState(now.pow));
      net.setAttribute("state", asState(now.net));
      const state = asState(now.data);
      data.setAttribute("state", state === "on" && isBusy() ? "busy" : state);
    }
  };
  ends.push(live.status.watch(update));
  return h("div", { class: "leds", role: "group", "aria-label": t("leds") }, ...lamps);
}

function unstored() {
  const link = h("a", { class: "chip warn", href: "#settings" });
  ends.push(
    live.status.watch((now) => {
      const n = now?.not_stored?.length ?? 0;
      link.hidden = n === 0 || now?.trial !== null;
      setText(link, t("unstored", { n }));
      link.title = now?.not_stored?.join(", ") ?? "";
    }),
  );
  return link;
}

function navigation() {
  const links = PAGES.filter(([name]) => isOffered(name)).map(([name]) =>
    h(
      "a",
      { href: `#${name}`, "data-page": name, on: { click: () => name === pageName && main.querySelector("h1")?.focus() } },
      icon(ICONS[name]),
      h("span", {}, t(`nav.${name}`)),
    ),
  );
  return h("nav", { class: "pages", "aria-label": t("nav") }, ...links);
}

/** @param {boolean} isIn */
function banners(isIn) {
  const box = h("div", { class: "banners" });
  if (isIn) {
    box.append(lostBanner(), trialBanner(), upgradeBanner());
    if (session?.who === "viewer") {
      box.append(h("p", { class: "banner" }, t("viewer")));
    }
  }
  return box;
}

function lostBanner() {
  const text = h("p", {});
  const element = h("div", { class: "banner bad", role: "alert" }, text);
  ends.push(
    live.connection.watch(({ state, since }) => {
      const isLost = state === "lost";
      document.documentElement.dataset["connection"] = state;
      element.hidden = !isLost;
      setText(text, isLost ? t("lost", { since: format.dateTime(since) }) : "");
    }),
  );
  return element;
}

function trialBanner() {
  const left = countdown();
  const text = h("span", {});
  const count = h("summary", {});
  const which = h("p", {});
  const about = h("details", { class: "hint" }, count, which);
  const keep = button(t("trial.keep"), () => busy(keep, () => decide("keep")), { class: "primary" });
  const back = button(t("trial.back"), () => busy(back, () => decide("rollback")));
  const isWriter = context().mayWrite;
  const element = h(
    "section",
    { class: "banner trial", "aria-label": t("trial") },
    h("div", {}, h("p", {}, h("strong", {}, t("trial")), " ", text, " ", left), about),
    isWriter ? h("div", { class: "actions" }, back, keep) : null,
  );
  /** @type {string | number | null} */
  let id = null;
  let told = Infinity;

  /** @param {"keep" | "rollback"} what */
  async function decide(what) {
    if (id === null) {
      return;
    }
    const of = id;
    try {
      await post(what, { id: of });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 0) {
        throw error;
      }
      // The answer is lost, and the trial runs out. No other trial has this id, so a second request does no harm.
      if (!hasEnded(of, what)) {
        await post(what, { id: of });
      }
    }
    if (what === "keep") {
      draft.kept(of);
      notice(t("trial.kept"));
    } else if (!isTold()) {
      notice(t("trial.rolledBack"));
    }
    if (!session?.features.live) {
      await live.readOnce();
    }
  }

  /** Whether the first request did it, and its answer alone is lost. @param {string | number} of @param {"keep" | "rollback"} what */
  const hasEnded = (of, what) => {
    const how = live.status.get()?.trial_ended?.how;
    return id !== of && how === (what === "keep" ? "kept" : "undone");
  };

  /** Whether the device tells how a trial ends. */
  const isTold = () => live.status.get()?.trial_ended !== undefined;

  /** What went back, beside what this page tried: it was set before, and neither applied nor stored. @param {import("./types.js").Status["trial_ended"]} ended */
  function tellEnd(ended) {
    if (!ended || ended.how === "kept") {
      return;
    }
    const tried = draft.triedBy(id);
    const others = ended.keys.filter((key) => !tried?.includes(key));
    const told = t(tried === null ? "trial.wentBack" : "trial.others", { n: others.length, what: named(others) });
    const more = others.length > 0 ? ` ${told}` : "";
    notice(t(ended.how === "expired" ? "trial.expired" : "trial.rolledBack") + more, others.length > 0 ? "bad" : "good");
  }

  let run = live.run.get();
  ends.push(
    live.run.watch((next) => {
      // Who knows how it ended is gone, and another trial may have its number.
      if (run !== "" && run !== next) {
        id = null;
        draft.forgetTrial();
      }
      run = next;
    }),
    live.status.watch((now) => {
      const trial = now?.trial ?? null;
      element.hidden = trial === null;
      if (trial === null) {
        if (id !== null) {
          announce(t("trial.over"));
          tellEnd(now?.trial_ended ?? null);
        }
        id = null;
        told = Infinity;
        return;
      }
      if (id !== trial.id) {
        announce(t("trial.begins", { n: Math.round(trial.seconds_left) }));
      }
      id = trial.id;
      const keys = trial.keys ?? [];
      about.hidden = keys.length === 0;
      if (about.dataset["keys"] !== keys.join(" ")) {
        about.dataset["keys"] = keys.join(" ");
        setText(count, t("trial.about", { n: keys.length }));
        setText(which, named(keys));
      }
      setText(text, trial.by ? t("trial.by", { by: visible(trial.by) }) : t("trial.text"));
      left.set(trial.seconds_left);
      const mark = [10, 30, 60].find((seconds) => trial.seconds_left <= seconds) ?? Infinity;
      if (mark < told) {
        told = mark;
        announce(t("trial.left", { n: mark }));
      }
    }),
  );
  return element;
}

function upgradeBanner() {
  const reload = button(t("upgrade.do"), () => location.reload(), { class: "small" });
  const element = h("div", { class: "banner", hidden: true, role: "status" }, h("p", {}, t("upgrade")), reload);
  element.id = "upgrade";
  return element;
}

/** @param {boolean} [moveFocus] */
function show(moveFocus = true) {
  if (session === null || session.who === null) {
    page?.end();
    page = loginPage((next) => {
      setSession(next);
      begin();
    });
    place(page, true);
    return;
  }
  const [name, part] = route();
  if (name === pageName && page !== null) {
    page.part?.(part);
    return;
  }
  const make = PAGES.find(([of]) => of === name)?.[1] ?? overview;
  page?.end();
  live.want([]);
  pageName = name;
  page = make(context());
  place(page, moveFocus);
  for (const link of root.querySelectorAll("nav.pages a")) {
    const isHere = link.getAttribute("data-page") === name;
    if (isHere) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

/** @param {Page} next @param {boolean} moveFocus */
function place(next, moveFocus) {
  const title = h("h1", { tabindex: "-1" }, next.title);
  fill(main, title, next.element);
  main.className = `page-${pageName || "login"}`;
  document.title = `${next.title} · DTU`;
  if (next.focus) {
    next.focus.focus();
  } else if (moveFocus) {
    title.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function begin() {
  build();
  if (session?.features.live) {
    live.start(mayConnect);
  } else {
    void live.readOnce();
  }
}

/** After a lost connection: who one is now, and whether the console is another. */
async function mayConnect() {
  const next = /** @type {Session} */ (await get("session"));
  const isOther = versionOf(next) !== version;
  const banner = document.getElementById("upgrade");
  if (banner) {
    banner.hidden = !isOther;
  }
  const who = session?.who;
  setSession(next);
  if (next.who === null || next.who !== who) {
    if (next.who === null) {
      live.stop();
    }
    build();
  }
  return next.who !== null;
}

async function enter() {
  try {
    setSession(await get("session"));
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    fill(main, h("h1", {}, "DTU"), h("div", { class: "empty", role: "alert" }, h("p", { class: "empty-title" }, t("error.offline")), button(t("do.again"), enter)));
    fill(root, main);
    return;
  }
  if (session?.who === null) {
    live.stop();
    build();
  } else {
    begin();
  }
}

let isAsking = false;
whenLoginNeeded(() => {
  if (session !== null && session.who !== null && !isAsking) {
    isAsking = true;
    live.stop();
    void enter().finally(() => {
      isAsking = false;
    });
  }
});
addEventListener("hashchange", () => show());
addEventListener("beforeunload", (event) => {
  // What the tab keeps survives a reload; a typed secret does not.
  if (Object.keys(draft.changes()).some((key) => draft.fieldOf(key)?.secret)) {
    event.preventDefault();
  }
});
keepHistory();
void enter();
