// Where fields stand on the page, and what people call them. What is allowed comes from the command table.
import { either, maybe, t } from "./i18n.js";

/** @typedef {import("./types.js").Field} Field */
/** @typedef {import("./types.js").SettingCommand} SettingCommand */
/** @typedef {import("./types.js").Schema} Schema */
/** @typedef {{command: SettingCommand, field: Field, index: string, full: boolean}} Place */
/** @typedef {{id: string, title: string, blocks: {id: string, title: string, places: Place[]}[]}} Section */

/** Fields of one command that people look for in different groups: `CIPCFG` has something of each. */
/** @type {Record<string, [group: string, block: string]>} */
const MOVED = {
  "CIPCFG.HEAT": ["packets", "CIPPACK.0"],
  "CIPCFG.TIME": ["packing", ""],
  "CIPCFG.LEN": ["packing", ""],
  "CIPCFG.AUTO": ["mode", ""],
  "CIPCFG.RTIME": ["mode", ""],
  "CIPCFG.RESERVED": ["other", ""],
};
/** Only in the full display, as those of the commands that the schema marks. */
const FULL = /^(CIPCFG\.(LEN|AUTO|RESERVED|RTIME)|CSTT\.(USER|PASSWORD))$/;
/** Of a link: first whether it is used, then where it goes. */
const ORDER = ["START", "PROTOCOL", "ADDRESS", "PORT"];

/** @param {Schema} schema @returns {Section[]} */
export function sections(schema) {
  /** @type {Map<string, Section>} */
  const all = new Map();
  for (const group of schema.groups) {
    all.set(group.id, { id: group.id, title: maybe(`group.${group.id}`) ?? either(group.title, group.title_zh), blocks: [] });
  }
  for (const group of schema.groups) {
    for (const command of group.commands) {
      const indices = command.indices.length > 0 ? command.indices : [""];
      for (const index of indices) {
        for (const field of command.fields) {
          put(all, group.id, { command, field, index, full: command.full || FULL.test(field.key) });
        }
      }
    }
  }
  const found = [...all.values()].filter((section) => section.blocks.length > 0);
  for (const section of found) {
    section.blocks.sort((a, b) => a.id.localeCompare(b.id));
    for (const block of section.blocks) {
      block.places.sort((a, b) => rank(a) - rank(b));
    }
  }
  return found;
}

/** @param {Place} place */
function rank({ field }) {
  if (field.key === "CIPCFG.HEAT") {
    return 50;
  }
  const at = nameOf(field) === "CIPSCONT" ? ORDER.indexOf(field.name) : field.key === "CIPR" ? 0 : -1;
  return at < 0 ? 10 : at;
}

/** @param {Map<string, Section>} all @param {string} group @param {Place} place */
function put(all, group, place) {
  const [section, block] = MOVED[place.field.key] ?? [group, blockOf(place)];
  const into = all.get(section) ?? all.get(group);
  if (into === undefined) {
    return;
  }
  let found = into.blocks.find((it) => it.id === block);
  if (found === undefined) {
    found = { id: block, title: titleOf(block), places: [] };
    into.blocks.push(found);
  }
  found.places.push(place);
}

/** @param {Place} place */
function blockOf({ field, index }) {
  if (index === "") {
    return "";
  }
  return nameOf(field) === "CIPPACK" ? `CIPPACK.${index}` : index;
}

/** The command's name as keys have it. @param {Field} field */
function nameOf(field) {
  return field.key.split(".")[0] ?? "";
}

/** @param {string} block */
function titleOf(block) {
  if (block === "") {
    return "";
  }
  return maybe(`block.${block}`) ?? (/^\d+$/.test(block) ? t("link.n", { n: block }) : block);
}

/** @param {SettingCommand} command @param {Field} field @param {string} key */
export function fieldLabel(command, field, key) {
  const own = maybe(`field.${key}`) ?? maybe(`field.${field.key}`) ?? maybe(`field.${nameOf(field)}.${field.name}`);
  if (own !== null) {
    return own;
  }
  const help = either(command.help, command.help_zh);
  return command.fields.length === 1 ? help : `${help}: ${field.name}`;
}

/** What to call the value of that key, of which link. @param {SettingCommand} command @param {Field} field @param {string} key */
export function longLabel(command, field, key) {
  const index = command.indices.length > 0 ? (key.split(".")[1] ?? "") : "";
  const block = index === "" ? "" : titleOf(blockOf({ command, field, index, full: false }));
  const label = fieldLabel(command, field, key);
  return block === "" ? label : `${block}: ${label}`;
}

/** @param {string} key @param {import("./types.js").Choice} choice */
export function wordOfChoice(key, choice) {
  const head = key.replace(/\.\d+(?=\.|$)/, "");
  const own = maybe(`choice.${key}.${choice.value}`) ?? maybe(`choice.${head}.${choice.value}`);
  return own ?? (either(choice.word, choice.word_zh) || choice.value);
}
