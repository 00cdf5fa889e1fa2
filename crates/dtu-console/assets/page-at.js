// AT: a command box with completion and help.
import { get, post } from "./api.js";
import { button, fill, foreign, h, isComposing, newId } from "./dom.js";
import { either, t } from "./i18n.js";
import { announce, busy, complain, empty } from "./parts.js";
import { forTab } from "./store.js";

/** @typedef {import("./types.js").CommandHelp} CommandHelp */
/** @typedef {import("./app.js").Context} Context */
/** @typedef {import("./app.js").Page} Page */

const OFFERED = 12;
const KEPT = 100;
/** A password may stand in front of one of the network's. */
const BARE = /^AT/i;

/** @param {Context} context @returns {Page} */
export function atPage(context) {
  if (!context.mayWrite) {
    return { title: t("nav.at"), element: empty(t("viewer.none"), t("viewer.at")), end() {} };
  }
  /** @type {CommandHelp[]} */
  let commands = [];
  /** @type {string[]} */
  const past = forTab.get("at") ?? [];
  let place = past.length;
  let chosen = -1;
  /** @type {CommandHelp[]} */
  let offered = [];
  const listId = newId("commands");
  const listbox = h("ul", { class: "offers", role: "listbox", id: listId, "aria-label": t("at.commands") });
  listbox.hidden = true;
  const input = h("input", {
    type: "text",
    class: "mono",
    id: newId("at"),
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    placeholder: "AT+CIPSCONT?",
  });
  const send = h("button", { type: "submit", class: "button primary" }, t("at.send"));
  const transcript = h("ol", { class: "transcript" });
  const box = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": t("at.transcript") }, transcript);
  const nothing = empty(t("at.empty"), t("at.emptyText"), ...["AT+CSQ", "AT+CINET?", "AT+CIPSCONT?", "AT+CISTAT"].map((line) =>
    button(line, () => run(line), { class: "small mono" })));
  box.append(nothing);
  const help = h("aside", { class: "card help", "aria-label": t("at.help") });

  function close() {
    listbox.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  /** @param {boolean} [open] */
  function offer(open = true) {
    const typed = input.value.trim().toUpperCase();
    const name = /^[A-Z&]*\+?[A-Z0-9&]*/.exec(typed)?.[0] ?? "";
    const hasMore = typed.length > name.length;
    const exact = commands.find((command) => command.name.toUpperCase() === name);
    showHelp(exact ?? null);
    offered = typed === "" || hasMore ? [] : commands.filter((command) => fits(command, typed)).slice(0, OFFERED);
    if (!open || offered.length === 0 || (offered.length === 1 && exact)) {
      close();
      return;
    }
    chosen = -1;
    fill(
      listbox,
      ...offered.map((command, index) =>
        h(
          "li",
          {
            role: "option",
            id: `${listId}-${index}`,
            "aria-selected": "false",
            on: {
              mousedown: (/** @type {Event} */ event) => {
                event.preventDefault();
                take(command);
              },
            },
          },
          h("code", {}, command.name),
          h("span", { class: "muted" }, either(command.help, command.help_zh)),
        ),
      ),
    );
    listbox.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  /** @param {CommandHelp} command */
  function take(command) {
    const hasSet = command.forms.some((form) => form.startsWith(`${command.name}=`));
    const hasRead = command.forms.includes(`${command.name}?`);
    input.value = command.name + (hasRead ? "?" : hasSet ? "=" : "");
    close();
    showHelp(command);
    input.focus();
  }

  /** @param {number} to */
  function choose(to) {
    chosen = (to + offered.length) % offered.length;
    [...listbox.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === chosen)));
    input.setAttribute("aria-activedescendant", `${listId}-${chosen}`);
    listbox.children[chosen]?.scrollIntoView({ block: "nearest" });
    showHelp(offered[chosen] ?? null);
  }

  /** All commands by their subjects. */
  function directory() {
    const subjects = [...new Set(commands.map((command) => command.group))];
    return subjects.map((subject) => {
      const own = commands.filter((command) => command.group === subject);
      const items = own.map((command) =>
        h(
          "li",
          {},
          button(command.name, () => take(command), { class: "quiet small mono" }),
          h("span", { class: "muted" }, either(command.help, command.help_zh)),
        ),
      );
      return h("details", {}, h("summary", {}, either(subject, own[0]?.group_zh), h("span", { class: "muted" }, ` (${own.length})`)), h("ul", { class: "directory" }, ...items));
    });
  }

  /** @param {CommandHelp | null} command */
  function showHelp(command) {
    const key = command?.name ?? `(${commands.length})`;
    if (help.dataset["of"] === key) {
      return;
    }
    help.dataset["of"] = key;
    if (command === null) {
      fill(help, h("h2", {}, t("at.help")), h("p", { class: "muted" }, t("at.helpText")), ...directory());
      return;
    }
    fill(help, ...helpOf(command, (line) => {
      input.value = line;
      input.focus();
      offer(false);
    }));
  }

  input.addEventListener("input", () => offer());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (isComposing(event)) {
      if (event.key === "Enter") {
        event.preventDefault();
      }
      return;
    }
    const isOpen = !listbox.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(chosen < 0 && step < 0 ? offered.length - 1 : chosen + step);
    } else if (isOpen && chosen >= 0 && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      const command = offered[chosen];
      if (command) {
        take(command);
      }
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      place = Math.max(0, Math.min(past.length, place + (event.key === "ArrowUp" ? -1 : 1)));
      input.value = past[place] ?? "";
      offer(false);
    }
  });

  const form = h(
    "form",
    {
      class: "send-row",
      on: {
        submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          close();
          run(input.value);
        },
      },
    },
    h("div", { class: "control grow combo" }, h("label", { for: input.id }, t("at.line")), input, listbox),
    send,
  );

  /** @param {string} typed */
  function run(typed) {
    const line = typed.trim();
    if (line === "") {
      return;
    }
    void busy(send, async () => {
      place = past.length;
      input.value = "";
      const entry = h("li", {}, h("p", { class: "asked" }, foreign(line)));
      nothing.remove();
      transcript.append(entry);
      while (transcript.childElementCount > KEPT) {
        transcript.firstElementChild?.remove();
      }
      const waiting = h("p", { class: "muted" }, t("at.waiting"));
      entry.append(waiting);
      box.scrollTop = box.scrollHeight;
      try {
        const answer = await post("at", { line });
        // The device's end knows which commands have a secret: it hides that.
        if (past.at(-1) !== line && answer.line === line && BARE.test(line)) {
          past.push(line);
          past.splice(0, past.length - KEPT);
          forTab.set("at", past);
          place = past.length;
        }
        fill(
          waiting,
          ...answer.lines.flatMap((/** @type {string} */ text) => [foreign(text), h("br")]),
          h("span", { class: answer.ok ? "good-text" : "bad-text" }, foreign(answer.end)),
        );
        waiting.className = "answer";
        announce(`${answer.lines.join(" ")} ${answer.end}`.slice(0, 300));
      } catch (error) {
        fill(waiting, h("span", { class: "bad-text" }, t("at.failed")));
        throw error;
      } finally {
        box.scrollTop = box.scrollHeight;
        input.focus();
      }
    });
  }

  showHelp(null);
  get("commands").then((all) => {
    commands = Array.isArray(all) ? all : all.commands;
    offer(false);
  }, complain);
  return {
    title: t("nav.at"),
    element: h("div", { class: "at" }, h("div", { class: "at-main" }, box, form, h("p", { class: "hint" }, t("at.keys"))), help),
    end() {},
  };
}

/** @param {CommandHelp} command @param {string} typed in capitals */
function fits(command, typed) {
  const name = command.name.toUpperCase();
  return name.startsWith(typed) || name.slice(2).replace("+", "").startsWith(typed) || name.slice(2).startsWith(typed);
}

/** @param {CommandHelp} command @param {(line: string) => void} take */
function helpOf(command, take) {
  const { line: asked, answer } = command.example ?? { line: "", answer: "" };
  const rows = command.parameters.map((parameter) =>
    h(
      "div",
      {},
      h("dt", {}, h("code", {}, parameter.name)),
      h("dd", {}, either(parameter.range, parameter.range_zh).replaceAll("..=", "–"), parameter.help !== "" && h("span", { class: "muted" }, ` ${either(parameter.help, parameter.help_zh)}`)),
    ),
  );
  return [
    h("h2", {}, h("code", {}, command.name)),
    h("p", {}, either(command.help, command.help_zh)),
    h("h3", {}, t("at.forms")),
    h("ul", { class: "forms" }, ...command.forms.map((form) => h("li", {}, h("code", {}, form)))),
    rows.length > 0 && h("h3", {}, t("at.parameters")),
    rows.length > 0 && h("dl", { class: "parameters" }, ...rows),
    asked !== "" && h("h3", {}, t("at.example")),
    asked !== "" && button(asked, () => take(asked), { class: "small mono example", title: t("at.take") }),
    answer !== "" && h("pre", { class: "code", tabindex: "0" }, answer),
    command.missing && h("p", { class: "banner warn" }, command.missing),
    command.notes && h("p", { class: "muted notes" }, either(command.notes, command.notes_zh)),
  ];
}
