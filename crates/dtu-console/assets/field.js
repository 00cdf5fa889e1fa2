// One field of the settings: its control, what the device has, what is wrong.
import { narrow } from "./bytes.js";
import { pieces, visible } from "./visible.js";
import { button, fill, foreign, h, isComposing, newId, setText } from "./dom.js";
import { current, isChanged, revert, settings, shown, type, UNCHANGED } from "./draft.js";
import { either, t } from "./i18n.js";
import { fieldLabel, wordOfChoice } from "./layout.js";
import { Packet, packet } from "./packet.js";

/** @typedef {import("./types.js").Field} Field */
/** @typedef {import("./types.js").SettingCommand} SettingCommand */
/** @typedef {{key: string, element: HTMLElement, show(): void, fault(text: string): void}} FieldView */

/**
 * @param {SettingCommand} command
 * @param {Field} field
 * @param {string} key
 * @param {boolean} mayWrite
 * @returns {FieldView}
 */
export function fieldView(command, field, key, mayWrite) {
  const fault = h("p", { class: "fault", id: newId("fault") });
  const held = h("p", { class: "held", id: newId("held") });
  const undo = button(t("field.undo"), () => revert(key), { class: "quiet small" });
  const label = fieldLabel(command, field, key);
  const control = controlOf(field, key, label);
  // The table explains numbers; where the choices have words of their own they say it better.
  const isWorded = (field.choices ?? []).some((choice) => wordOfChoice(key, choice) !== (choice.word || choice.value));
  const help = isWorded ? "" : field.kind === "packet" ? t("bytes.packet") : either(field.help, field.help_zh);
  // A packet counts its bytes, and a list shows its choices.
  const hasRange = field.kind !== "choice" && field.kind !== "packet";
  const range = hasRange ? either(field.range, field.range_zh) : "";
  const hintText = [help === label ? "" : help, range.replaceAll("..=", "–")].filter((text) => text !== "").join(" · ");
  const hint = h("p", { class: "hint", id: newId("hint") }, hintText);
  hint.hidden = hintText === "";
  control.input.id ||= newId("field");
  control.input.setAttribute("aria-describedby", `${hint.id} ${held.id} ${fault.id}`);
  control.lock(!mayWrite);
  // Which of several stands above the block.
  const short = command.indices.length === 0 ? key : command.fields.length > 1 ? field.name : key.split(".")[0];
  const name = h("code", { class: "at-name", "aria-hidden": "true", title: key }, short);
  const element = h(
    "div",
    { class: `field kind-${control.kind}`, "data-key": key },
    control.kind === "tick"
      ? h("div", { class: "field-head" }, control.element, name)
      : h("div", { class: "field-head" }, h("label", { for: control.input.id }, label), name),
    control.kind !== "tick" && control.element,
    hint,
    h("div", { class: "held-row" }, held, undo),
    fault,
  );
  fault.hidden = true;
  return {
    key,
    element,
    show() {
      control.show(shown(key));
      const changed = isChanged(key);
      element.classList.toggle("changed", changed);
      undo.hidden = !changed;
      undo.setAttribute("aria-label", `${t("field.undo")}: ${label}`);
      fillHeld(held, field, key, changed);
    },
    fault(text) {
      const isSaid = control.element instanceof Packet && control.element.isFaulty;
      setText(fault, isSaid ? "" : text);
      fault.hidden = text === "" || isSaid;
      if (control.kind !== "packet") {
        control.input.setAttribute("aria-invalid", String(text !== ""));
      }
    },
  };
}

/** What runs and what is stored, where it says something new. @param {HTMLElement} place */
function fillHeld(place, /** @type {Field} */ field, /** @type {string} */ key, /** @type {boolean} */ changed) {
  const value = settings.get()?.values[key];
  fill(place);
  if (value === undefined) {
    return;
  }
  const show = (/** @type {string | null} */ text) =>
    field.secret ? t("field.secret") : text === null ? t("field.unknown") : text === "" ? t("field.none") : text;
  const isStoredOther = value.running !== null && value.stored !== null && value.running !== value.stored;
  if (!value.readable) {
    fill(place, t("field.notTold"));
  } else if (isStoredOther) {
    const both = [t("field.running"), " ", worded(field, key, show(value.running)), " · ", t("field.stored"), " "];
    fill(place, ...both, worded(field, key, show(value.stored)), " · ", t("field.notStored"));
  } else if (changed) {
    fill(place, t("field.device"), " ", worded(field, key, show(current(key))));
  }
  // A control shows such characters by what they do, which is to hide or to turn others round.
  const typed = shown(key);
  if (!field.secret && field.kind === "text" && pieces(typed).some(([, isMark]) => isMark)) {
    place.append(place.childNodes.length > 0 ? " · " : "", t("field.hidden"), " ", foreign(typed, "value"));
  }
  place.classList.toggle("warn", isStoredOther);
}

/** @param {Field} field @param {string} key @param {string} value */
export function worded(field, key, value) {
  const choice = field.choices?.find((it) => it.value === value);
  return foreign(choice === undefined ? value : wordOfChoice(key, choice), "value");
}

/**
 * @typedef {{kind: "tick" | "select" | "text" | "packet" | "secret", element: HTMLElement,
 *   input: HTMLInputElement | HTMLSelectElement, show(value: string): void, lock(isLocked: boolean): void}} Control
 */

/** @param {Field} field @param {string} key @param {string} label @returns {Control} */
function controlOf(field, key, label) {
  if (field.kind === "packet") {
    return packetControl(field, key);
  }
  const choices = field.choices ?? [];
  if (field.kind === "choice" && choices.length > 0) {
    return field.tick ? tickControl(field.tick, key, label) : selectControl(choices, key);
  }
  return field.secret ? secretControl(field, key) : textControl(field, key);
}

/** @param {{off: string, on: string}} values @param {string} key @param {string} label @returns {Control} */
function tickControl({ off, on }, key, label) {
  const input = h("input", {
    type: "checkbox",
    on: { change: () => type(key, input.checked ? on : off) },
  });
  return {
    kind: "tick",
    element: h("label", { class: "tick" }, input, h("span", {}, label)),
    input,
    show: (value) => {
      input.checked = value.toUpperCase() === on.toUpperCase();
    },
    lock: (isLocked) => {
      input.disabled = isLocked;
    },
  };
}

/** @param {import("./types.js").Choice[]} choices @param {string} key @returns {Control} */
function selectControl(choices, key) {
  const input = h(
    "select",
    { on: { change: () => type(key, input.value) } },
    ...choices.map((choice) => h("option", { value: choice.value }, wordOfChoice(key, choice))),
  );
  return {
    kind: "select",
    element: input,
    input,
    show: (value) => {
      const fits = [...input.options].some((option) => option.value === value);
      if (!fits) {
        // What the device has, or a file says, is shown even where the table has no such choice.
        input.append(h("option", { value }, value === "" ? "–" : visible(value)));
      }
      input.value = value;
    },
    lock: (isLocked) => {
      input.disabled = isLocked;
    },
  };
}

/** @param {Field} field @param {string} key @returns {Control} */
function textControl(field, key) {
  const isNumber = field.kind === "number";
  const input = h("input", {
    type: "text",
    inputmode: isNumber ? "numeric" : false,
    class: isNumber ? "number" : "mono",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
  let isTyping = false;
  const take = () => type(key, isNumber ? narrow(input.value).trim() : input.value);
  input.addEventListener("input", (event) => {
    if (!(event instanceof InputEvent && event.isComposing)) {
      take();
    }
  });
  input.addEventListener("compositionend", take);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && isComposing(event)) {
      event.preventDefault();
    }
  });
  input.addEventListener("focus", () => {
    isTyping = true;
  });
  input.addEventListener("blur", () => {
    isTyping = false;
    input.value = shown(key);
  });
  const unit = field.unit ? h("span", { class: "unit" }, field.unit) : null;
  return {
    kind: "text",
    element: h("div", { class: "with-unit" }, input, unit),
    input,
    show: (value) => {
      // A field in which somebody types is not written over, not even by the same in other digits.
      if (!isTyping || narrow(input.value).trim() !== value) {
        input.value = value;
      }
    },
    lock: (isLocked) => {
      input.readOnly = isLocked;
    },
  };
}

/** @param {Field} field @param {string} key @returns {Control} */
function secretControl(field, key) {
  const input = h("input", {
    type: "password",
    autocomplete: "new-password",
    placeholder: t("field.unchanged"),
    spellcheck: "false",
    on: { input: () => (input.value === "" ? revert(key) : type(key, input.value)) },
  });
  const clear = button(t("field.clear"), () => type(key, ""), { class: "quiet small" });
  clear.hidden = !field.may_be_empty;
  const look = button(t("field.look"), () => {
    input.type = input.type === "password" ? "text" : "password";
    look.setAttribute("aria-pressed", String(input.type === "text"));
  });
  look.classList.add("quiet", "small");
  look.setAttribute("aria-pressed", "false");
  return {
    kind: "secret",
    element: h("div", { class: "with-unit" }, input, look, clear),
    input,
    show: (value) => {
      const isTyped = isChanged(key) && value !== UNCHANGED;
      input.placeholder = isTyped && value === "" ? t("field.none") : t("field.unchanged");
      const wanted = isTyped ? value : "";
      if (input.value !== wanted) {
        input.value = wanted;
      }
    },
    lock: (isLocked) => {
      input.readOnly = isLocked;
      clear.disabled = isLocked;
    },
  };
}

/** @param {Field} field @param {string} key @returns {Control} */
function packetControl(field, key) {
  const element = packet();
  element.room = field.max ?? 0;
  element.onbytes = (hex) => type(key, hex);
  return {
    kind: "packet",
    element,
    input: element.input,
    show: (value) => element.show(value),
    lock: (isLocked) => {
      element.locked = isLocked;
    },
  };
}
