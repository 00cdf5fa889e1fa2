// Settings: the groups of the set-up software, checked while one types.
import { post, postForFile } from "./api.js";
import { apply, factory, restart, store } from "./apply.js";
import { button, fill, foreign, h, setText } from "./dom.js";
import * as draft from "./draft.js";
import { fieldView } from "./field.js";
import { either, t } from "./i18n.js";
import { sections } from "./layout.js";
import { status } from "./live.js";
import { announce, busy, complain, costInWords, download, notice, said, select, tick } from "./parts.js";
import { forBrowser } from "./store.js";

/** @typedef {import("./app.js").Context} Context */
/** @typedef {import("./app.js").Page} Page */
/** @typedef {import("./field.js").FieldView} FieldView */
/** @typedef {import("./types.js").Check} Check */

const CHECK_AFTER_MS = 350;

/** @param {Context} context @returns {Page} */
export function settingsPage(context) {
  /** @type {FieldView[]} */
  let views = [];
  /** @type {Check | null} */
  let checked = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asked = 0;
  let isFull = forBrowser.get("full") === true;
  const groups = h("nav", { class: "groups", "aria-label": t("settings.groups") });
  const form = h("form", { class: "stack", novalidate: true, on: { submit: onSubmit } });
  const bar = changeBar(context, () => checked, reviewed);
  const unread = h("div", { class: "banner warn", hidden: true });
  const element = h(
    "div",
    { class: "settings" },
    toolbar(context, isFull, (full) => {
      isFull = full;
      forBrowser.set("full", full);
      build();
    }, reviewed),
    unread,
    h("div", { class: "settings-body" }, groups, form),
    bar.element,
  );

  /** Enter in a field opens the review, as a click does. @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    bar.press();
  }

  /** After an apply, a discard or another look. @param {{reload?: boolean}} [what] */
  async function reviewed(what = {}) {
    if (what.reload) {
      try {
        await draft.loadSettings();
      } catch (error) {
        complain(error);
      }
    }
    check();
  }

  async function load() {
    fill(form, h("p", { class: "muted loading", role: "status" }, t("settings.reading")));
    try {
      await draft.loadSchema();
      await draft.loadSettings();
    } catch (error) {
      fill(form, h("div", { class: "empty" }, h("p", { class: "empty-title" }, t("settings.notRead")), button(t("do.again"), load)));
      complain(error);
      return;
    }
    await build();
    check();
    showUnread();
    jump(context.part);
  }

  function showUnread() {
    // What no reply tells is said beside its field.
    const list = (draft.settings.get()?.unread ?? []).filter((it) => it.why !== "no_read_form");
    unread.hidden = list.length === 0;
    fill(unread, h("p", {}, t("settings.unread", { n: list.length })), h("ul", {}, ...list.map((it) => h("li", {}, foreign(it.group), ": ", said(it.message, it.message_zh)))));
  }

  async function build() {
    const schema = await draft.loadSchema();
    views = [];
    fill(form);
    fill(groups);
    form.classList.toggle("full", isFull);
    // A field that an own button submits to, for Enter in a text field.
    form.append(h("button", { type: "submit", class: "unseen", tabindex: "-1", "aria-hidden": "true" }));
    for (const section of sections(schema)) {
      const built = section.blocks
        .map((block) => ({ block, places: block.places.filter((place) => isFull || !place.full) }))
        .filter(({ places }) => places.length > 0);
      if (built.length === 0) {
        continue;
      }
      const id = `group-${section.id}`;
      const card = h("section", { class: "card group", id, "aria-labelledby": `${id}-title` });
      card.append(h("h2", { id: `${id}-title`, tabindex: "-1" }, section.title));
      const grid = h("div", { class: built.length > 1 || built[0]?.block.title ? "blocks" : "plain" });
      for (const { block, places } of built) {
        const fields = h("div", { class: "fields" });
        for (const { command, field, index } of places) {
          const view = fieldView(command, field, draft.keyOf(command, field, index), context.mayWrite);
          views.push(view);
          fields.append(view.element);
        }
        grid.append(block.title === "" ? fields : h("fieldset", { class: "block" }, h("legend", {}, block.title), fields));
      }
      card.append(grid);
      form.append(card);
      const link = h("a", { href: `#settings/${section.id}` }, section.title, " ", h("span", { class: "badge", hidden: true }));
      groups.append(link);
    }
    showAll();
  }

  function showAll() {
    for (const view of views) {
      view.show();
      const fault = checked?.faults.find((it) => it.key === view.key);
      view.fault(fault === undefined ? "" : either(fault.message, fault.message_zh));
    }
    bar.show();
    showBadges();
  }

  function showBadges() {
    for (const link of groups.querySelectorAll("a")) {
      const id = link.getAttribute("href")?.split("/")[1] ?? "";
      const card = form.querySelector(`#group-${CSS.escape(id)}`);
      const bad = card?.querySelectorAll("[aria-invalid=true]").length ?? 0;
      const changed = card?.querySelectorAll(".field.changed").length ?? 0;
      const badge = /** @type {HTMLElement} */ (link.querySelector(".badge"));
      badge.hidden = bad + changed === 0;
      badge.classList.toggle("bad", bad > 0);
      setText(badge, bad > 0 ? t("badge.faults", { n: bad }) : t("badge.changes", { n: changed }));
    }
  }

  function check() {
    clearTimeout(timer);
    const values = draft.changes();
    asked += 1;
    const own = asked;
    if (Object.keys(values).length === 0) {
      checked = null;
      showAll();
      return;
    }
    timer = setTimeout(async () => {
      try {
        const answer = await post("check", { values });
        if (own === asked) {
          const before = checked?.faults.length ?? 0;
          checked = answer;
          showAll();
          const faults = answer.faults.length;
          if (faults !== before) {
            announce(faults === 0 ? t("bar.noFault") : either(answer.faults[0].message, answer.faults[0].message_zh));
          }
        }
      } catch (error) {
        // While the connection is lost the banner says it; the draft is kept.
        if (own === asked && /** @type {any} */ (error).id !== "offline") {
          complain(error);
        }
      }
    }, CHECK_AFTER_MS);
    showAll();
  }

  /** @param {string} part */
  function jump(part) {
    const target = part === "" ? null : form.querySelector(`#group-${CSS.escape(part)}`);
    if (target) {
      target.scrollIntoView({ block: "start" });
      /** @type {HTMLElement | null} */ (target.querySelector("h2"))?.focus({ preventScroll: true });
    }
  }

  let isFirst = true;
  const offDraft = draft.edited.watch(() => {
    if (!isFirst) {
      check();
    }
    isFirst = false;
  });
  let before = { trial: "", stored: "" };
  const offStatus = status.watch((now) => {
    if (now === null) {
      return;
    }
    const next = { trial: String(now.trial?.id ?? ""), stored: (now.not_stored ?? []).join(" ") };
    const isNew = before.trial !== next.trial || before.stored !== next.stored;
    before = next;
    if (isNew && draft.settings.get() !== null && !element.contains(document.querySelector("dialog[open]"))) {
      draft.loadSettings().catch(() => {});
    }
  });
  void load();
  return {
    title: t("nav.settings"),
    element,
    part: jump,
    end() {
      clearTimeout(timer);
      offDraft();
      offStatus();
    },
  };
}

/**
 * @param {Context} context
 * @param {boolean} isFull
 * @param {(full: boolean) => void} setFull
 * @param {(what?: {reload?: boolean}) => Promise<void>} reviewed
 */
function toolbar(context, isFull, setFull, reviewed) {
  const file = h("input", { type: "file", class: "unseen", tabindex: "-1", "aria-hidden": "true", accept: ".toml,.json,.at,.txt,.cfg" });
  const read = button(t("settings.import"), () => file.click(), { class: "small" });
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (chosen) {
      void busy(read, () => importFile(chosen));
    }
  });
  let format = "toml";
  const formats = select([["toml", "TOML"], ["json", "JSON"], ["at", t("settings.atLines")]], format, (value) => {
    format = value;
  });
  formats.setAttribute("aria-label", t("settings.format"));
  const write = button(t("settings.export"), () =>
    busy(write, async () => {
      const { blob, name } = await postForFile("export", { format });
      download(blob, name ?? `dtu.${format === "at" ? "txt" : format}`);
    }),
    { class: "small" },
  );
  const again = button(t("settings.again"), () => busy(again, () => reviewed({ reload: true })), { class: "quiet small" });
  const storing = button(t("settings.store"), () => busy(storing, () => store(() => reviewed({ reload: true }))), { class: "small" });
  const restarting = button(t("settings.restart"), () => busy(restarting, () => restart(() => reviewed({ reload: true }))), { class: "small" });
  const wiping = button(t("settings.factory"), () => busy(wiping, () => factory(() => reviewed({ reload: true }))), { class: "danger small" });
  return h(
    "div",
    { class: "toolbar" },
    tick(t("settings.full"), isFull, setFull),
    h("span", { class: "spacer" }),
    again,
    h("div", { class: "joined" }, formats, write),
    ...(context.mayWrite ? [read, file, storing, restarting, wiping] : []),
  );
}

/** @param {File} file */
async function importFile(file) {
  if (file.size > 1024 * 1024) {
    notice(t("import.large"), "bad");
    return;
  }
  const answer = await post("import", file);
  if (answer.fault) {
    const { line, column, message, message_zh: zh } = answer.fault;
    notice(h("span", {}, t("import.fault", { line, column }), " ", foreign(either(String(message), zh))), "bad");
    return;
  }
  let taken = 0;
  for (const [key, value] of Object.entries(answer.values)) {
    const isLeft = draft.fieldOf(key)?.secret === true && value === draft.UNCHANGED;
    if (!isLeft && draft.fieldOf(key) !== undefined) {
      draft.type(key, String(value));
      taken += Number(draft.isChanged(key));
    }
  }
  notice(taken === 0 ? t("import.same") : t("import.taken", { n: taken }), taken === 0 ? "plain" : "good");
}

/**
 * What is to change, at the foot of the page.
 * @param {Context} context
 * @param {() => Check | null} checked
 * @param {(what?: {reload?: boolean}) => Promise<void>} reviewed
 */
function changeBar(context, checked, reviewed) {
  const text = h("p", { class: "bar-text" });
  const review = button(t("bar.review"), () => busy(review, act), { class: "primary" });
  const discard = button(t("bar.discard"), () => draft.discard());
  const element = h("div", { class: "changebar", role: "region", "aria-label": t("bar") }, text, discard, review);
  element.hidden = true;

  async function act() {
    const values = draft.changes();
    if (Object.keys(values).length === 0) {
      return;
    }
    /** @type {Check} */
    const answer = await post("check", { values });
    const first = answer.faults[0];
    if (first) {
      await reviewed();
      const field = document.querySelector(`[data-key="${CSS.escape(first.key)}"] :is(input, select)`);
      if (field instanceof HTMLElement) {
        field.focus();
      } else {
        notice(h("span", {}, foreign(first.key), ": ", foreign(either(first.message, first.message_zh))), "bad");
      }
      return;
    }
    await apply(context, values, answer, () => reviewed({ reload: true }));
  }

  return {
    element,
    press() {
      if (!element.hidden && context.mayWrite) {
        review.click();
      }
    },
    show() {
      const changes = Object.keys(draft.changes()).length;
      const faults = checked()?.faults ?? [];
      element.hidden = changes === 0;
      const cost = costInWords(checked()?.cost, context.session.features.confirm);
      const parts = [h("strong", {}, t("bar.changes", { n: changes }))];
      if (faults.length > 0) {
        // A fault may stand in a field that only the full display has.
        const first = faults[0];
        const field = first && draft.fieldOf(first.key);
        const label = first && field ? draft.labelOf(first.key) : "";
        parts.push(h("span", { class: "bad-text" }, t("bar.faults", { n: faults.length }), label ? `: ${label}` : ""));
      } else if (cost !== "") {
        parts.push(h("span", { class: "muted" }, cost));
      }
      fill(text, ...parts.flatMap((part, place) => (place === 0 ? [part] : [" · ", part])));
    },
  };
}
