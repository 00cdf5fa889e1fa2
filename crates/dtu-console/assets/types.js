// What the API sends. Types only.

/**
 * @typedef {{
 *   who: "local" | "owner" | "viewer" | null, login: boolean, csrf: string, instance: string, version: string, assets?: string, fingerprint?: string | null,
 *   patience: number, features: {
 *     live: boolean, inject: boolean, radio: "sim" | "real" | "none", confirm: boolean, name: string,
 *     via: "local" | "port" | "network", local_only_settings?: unknown[],
 *   },
 * }} Session
 *
 * @typedef {{
 *   number: number, received_bytes?: number | null, waiting_for?: string | null, enabled: boolean, protocol: string, address: string, port: number, state: string | null,
 *   reason: string | null, timer: {what: string, seconds: number} | null, waiting_frames: number | null,
 *   waiting_bytes: number | null, cache_bytes: number | null, frames_in: number | null, frames_out: number | null, bytes_in: number | null,
 *   bytes_out: number | null, dropped_frames: number | null, dropped_bytes: number | null, reconnects: number | null, rtt_ms: number | null,
 * }} Link
 *
 * @typedef {{id: string | number, seconds_left: number, by: string | null, keys?: string[]}} Trial
 *
 * @typedef {{
 *   at: string, uptime: number | null, restarts: number | null, version: string | null, mode: {number: number, word: string} | null,
 *   phase: string | null, leds: Record<"pow" | "net" | "data", "on" | "off" | "blink" | null>,
 *   serial: {
 *     line: string | null, state: string, present: boolean, baud: number | null, bytes_in: number | null, bytes_out: number | null,
 *     waiting_bytes: number | null, dropped_bytes: number | null,
 *   },
 *   radio: {
 *     modem: string | null, sim: string | null, registration: string | null, operator: string | null,
 *     signal_dbm: number | null, signal: "known" | "none" | "unknown", address: string | null, missing: string[],
 *   },
 *   links: Link[], httpd: Record<string, unknown> | null, serial_command: Record<string, unknown> | null,
 *   messages_to_be_sent: number | null,
 *   drops: {
 *     since: string | null, count: number, bytes: number,
 *     places: {place: string, count: number, bytes: number}[],
 *   } | null,
 *   trial: Trial | null, trial_ended?: {how: "kept" | "undone" | "expired" | "restarted", keys: string[]} | null,
 *   not_stored: string[] | null,
 * }} Status
 *
 * @typedef {{value: string, word: string, word_zh?: string}} Choice
 *
 * @typedef {{
 *   name: string, key: string, range: string, help: string, help_zh?: string, range_zh?: string, secret: boolean,
 *   kind: "choice" | "number" | "text" | "packet", choices?: Choice[] | null, min?: number | null,
 *   max?: number | null, unit?: string | null, tick: {off: string, on: string} | null, may_be_empty: boolean,
 * }} Field
 *
 * @typedef {{
 *   name: string, label: string, help: string, help_zh?: string, indices: string[], full: boolean,
 *   fields: Field[], takes_effect: string | null, readable: boolean,
 * }} SettingCommand
 *
 * @typedef {{groups: {id: string, title: string, title_zh?: string, commands: SettingCommand[]}[]}} Schema
 *
 * @typedef {{
 *   stored: string | null, running: string | null, factory: string | null, secret: boolean, readable: boolean,
 * }} Value
 *
 * @typedef {{
 *   etag: string, values: Record<string, Value>, unread?: {
 *     group: string, why: "no_read_form" | "refused" | "not_told" | "no_text", message: string, message_zh?: string | null,
 *   }[],
 * }} Settings
 *
 * @typedef {{links: number, frames: number}} Cost
 *
 * @typedef {{on_trial: string[] | null, at_once: string[] | null}} Along
 *
 * @typedef {{
 *   faults: {key: string, message: string, message_zh?: string}[],
 *   changes: {key: string, from: string | null, to: string, takes_effect: string | null}[],
 *   lines: string[], cost: {on_trial: Cost | null, at_once: Cost} | null, along: Along,
 * }} Check
 *
 * @typedef {{
 *   outcome: "nothing" | "done" | "trial" | "put_back" | "mixed", failure?: unknown, failure_zh?: string | null,
 *   not_verifiable?: string[], left?: unknown[], trial?: Trial | null, steps?: unknown[], steps_zh?: string[],
 * }} Applied
 *
 * @typedef {{
 *   seq: number, at: number, of: string, dir: "in" | "out", len: number, data: string | null, note: string | null,
 *   kind: "data" | "event", injected: boolean,
 * }} Row
 *
 * @typedef {{seq: number, at: number, level: string, of: string | null, text: string}} LogLine
 *
 * @typedef {{
 *   name: string, forms: string[], help: string, help_zh?: string, group: string, group_zh?: string,
 *   example: {line: string, answer: string} | null, notes?: string, notes_zh?: string, missing?: string | null,
 *   parameters: {name: string, range: string, help: string, help_zh?: string, range_zh?: string}[],
 * }} CommandHelp
 *
 * @typedef {{
 *   phone: string | null,
 *   items: {at: string | number, from: string | null, to: string | null, text: string | null, parts: number, state: string}[],
 *   forgotten?: number, calls: {number: string | null, state: string, why?: string | null}[],
 * }} Messages
 */
export {};
