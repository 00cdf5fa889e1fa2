// What was read of the device, and what was typed over it.
import { get } from "./api.js";
import { longLabel } from "./layout.js";
import { cell, forTab } from "./store.js";

/** @typedef {import("./types.js").Settings} Settings */
/** @typedef {import("./types.js").Schema} Schema */
/** @typedef {import("./types.js").Field} Field */
/** @typedef {import("./types.js").SettingCommand} SettingCommand */

/** What stands for a secret that stays as it is. */
export const UNCHANGED = "****";

/** @type {Schema | null} */
let schema = null;
/** @type {Map<string, Field>} */
const fields = new Map();
/** @type {import("./store.js").Cell<Settings | null>} */
export const settings = cell(/** @type {Settings | null} */ (null));
/** Counts up whenever the draft changes. @type {import("./store.js").Cell<number>} */
export const edited = cell(0);
/** @type {Map<string, string>} */
let typed = new Map();
/** Sent, and not read back yet: until then what the device has is not known. @type {Record<string, string>} */
let sent = {};
/** What a trial of this page tries, as it was typed; of secrets the keys alone. @type {{id: string | number | null, values: Map<string, string>, keys: string[]}} */
let tried = { id: null, values: new Map(), keys: [] };

/** @returns {Promise<Schema>} */
export async function loadSchema() {
  if (schema === null) {
    schema = /** @type {Schema} */ (await get("schema"));
    for (const { commands } of schema.groups) {
      for (const command of commands) {
        for (const field of command.fields) {
          const indices = command.indices.length > 0 ? command.indices : [""];
          for (const index of indices) {
            fields.set(keyOf(command, field, index), field);
          }
        }
      }
    }
    restore();
  }
  return schema;
}

/** After a log-in of another person nothing of the former one stays. */
export function forget() {
  schema = null;
  fields.clear();
  typed = new Map();
  sent = {};
  forgetTrial();
  settings.set(null);
}

/**
 * The schema names the key of the first of several: this is the one of `index`.
 * @param {SettingCommand} command
 * @param {Field} field
 * @param {string} index
 */
export function keyOf(command, field, index) {
  const [name = "", , ...rest] = field.key.split(".");
  return command.indices.length === 0 ? field.key : [name, index, ...rest].join(".");
}

/** What people call it: `Link 1: Port`. @param {string} key */
export function labelOf(key) {
  const field = fields.get(key);
  const commands = (schema?.groups ?? []).flatMap((group) => group.commands);
  const command = commands.find((it) => field !== undefined && it.fields.includes(field));
  return command === undefined || field === undefined ? key : longLabel(command, field, key);
}

/** @param {string} key */
export function fieldOf(key) {
  return fields.get(key);
}

export async function loadSettings() {
  settings.set(await get("settings"));
  edited.set(edited.get() + 1);
}

/** What the device has: what runs, else what is stored. @param {string} key */
export function current(key) {
  const value = settings.get()?.values[key];
  return value === undefined ? null : (value.running ?? value.stored);
}

/** What the field shows. @param {string} key */
export function shown(key) {
  return typed.get(key) ?? current(key) ?? "";
}

/** @param {string} key */
export function isChanged(key) {
  const value = typed.get(key);
  return value !== undefined && value !== current(key);
}

/** @param {string} key @param {string} value */
export function type(key, value) {
  const isSecret = fields.get(key)?.secret ?? false;
  if (!(key in sent) && (isSecret ? value === UNCHANGED : value === current(key))) {
    typed.delete(key);
  } else {
    typed.set(key, value);
  }
  changed();
}

/** @param {string} key */
export function revert(key) {
  typed.delete(key);
  changed();
}

/** @param {string[]} [keys] all of them without */
export function discard(keys = [...typed.keys()]) {
  for (const key of keys) {
    typed.delete(key);
  }
  changed();
}

/** These are on their way to the device. @param {Record<string, string>} values */
export function sending(values) {
  sent = values;
}

/** The device is read again: these are its own now, and what was typed over them since is a new draft. @param {string[]} keys */
export function settle(keys) {
  const over = keys.filter((key) => !typed.has(key) || typed.get(key) === sent[key]);
  sent = {};
  discard(over);
}

/** @param {string | number | null} id @param {Record<string, string>} values */
export function onTrial(id, values) {
  const open = Object.entries(values).filter(([key]) => fields.get(key)?.secret === false);
  tried = { id, values: new Map(open), keys: Object.keys(values) };
}

/** What this page changed with that trial; null: it is not of this page. @param {string | number | null} id */
export function triedBy(id) {
  return tried.id === id && id !== null ? tried.keys : null;
}

/** Trials count anew in each run of the program. */
export function forgetTrial() {
  tried = { id: null, values: new Map(), keys: [] };
}

/** That trial was kept: what it tried, or what runs anyway, is no draft any more. @param {string | number} id */
export function kept(id) {
  // The device may spell a value in another way than it was typed.
  const wasTried = (/** @type {string} */ key) => tried.id === id && tried.values.get(key) === typed.get(key);
  discard([...typed.keys()].filter((key) => wasTried(key) || !isChanged(key)));
}

/** What differs from the device. @returns {Record<string, string>} */
export function changes() {
  return Object.fromEntries([...typed].filter(([key]) => isChanged(key)));
}

function changed() {
  // A secret never goes into the browser's store.
  const kept = [...typed].filter(([key]) => fields.get(key)?.secret === false);
  forTab.set("draft", kept.length > 0 ? Object.fromEntries(kept) : null);
  edited.set(edited.get() + 1);
}

function restore() {
  const kept = forTab.get("draft");
  if (kept !== null && typeof kept === "object") {
    for (const [key, value] of Object.entries(kept)) {
      if (fields.has(key) && typeof value === "string") {
        typed.set(key, value);
      }
    }
  }
}
