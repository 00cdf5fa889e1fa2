// A console without a device: serves the page and the API with lively data, for tests of the page and for work on it.
//     node mock.js --port 7299 [--who local|owner|viewer|none] [--radio sim|real|none] [--still] [--hostile] [--quiet] [--bare]
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

import { commands, fields, schema, withoutProse } from "./mock-schema.js";

const ASSETS = new URL("../../assets/", import.meta.url);
const TYPES = { js: "text/javascript", css: "text/css", html: "text/html", svg: "image/svg+xml" };
export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/** What a peer, a phone or an operator may send to break a page. */
export const EVIL = "<img src=x onerror=\"window.broken=1\"><script>window.broken=1</script>\u202Eevil\u202C\u001b[31m\u0007";

export class Mock {
  constructor(options = {}) {
    this.options = { who: "local", login: false, radio: "sim", live: true, confirm: true, hostile: false, quiet: false, bare: false, prose: true, patience: 215, ...options };
    this.version = "0.9.0";
    this.csrf = "token-1";
    this.started = Date.now();
    this.rows = [];
    this.log = [];
    this.run = "run-1";
    this.seq = -1;
    this.lineSeq = -1;
    /** Time before an answer to `api/rows`, ms, and how many of them wait. */
    this.slow = 0;
    this.waiting = 0;
    /** What an answer to `api/settings` waits for. */
    this.reading = Promise.resolve();
    /** Paths whose next request gets no answer, as over a connection that is half open. */
    this.swallowed = new Set();
    this.streams = new Set();
    this.calls = [];
    this.callList = [];
    this.items = [];
    this.etag = 1;
    this.trial = null;
    this.trialEnded = null;
    /** What was applied and not stored: no trial takes it back. */
    this.applied = new Set();
    this.unread = [];
    this.values = new Map();
    this.isDead = false;
    this.guesses = 0;
    for (const [key, field] of fields) {
      const port = key.endsWith(".PORT") && key.startsWith("CIPSCONT") ? 10100 + Number(field.index) : field.factory;
      const value = field.kind === "packet" ? "" : String(port);
      this.values.set(key, { stored: value, running: value, factory: value });
    }
    if (!this.options.quiet) {
      this.set("CIPSCONT.1.ADDRESS", "dtu.example.net");
      this.set("CIPSCONT.1.PORT", "5000");
      this.set("CIPSCONT.1.START", "1");
      this.set("CIPSCONT.2.PROTOCOL", "UDP");
      this.set("CIPSCONT.2.ADDRESS", "192.0.2.7");
      this.set("CIPSCONT.2.START", "1");
      this.set("CIPPACK.1.DATA", "44545530303031");
      this.set("CIPPACK.0.DATA", "4842");
      this.values.get("CIPCFG.TIME").running = "250";
    }
    const links = [1, 2, 3, 4].map((number) => ({ number, out: 0, outBytes: 0, in: 0, inBytes: 0, waiting: 0 }));
    this.traffic = { links, lineIn: 0, lineOut: 0 };
    this.say("INFO", null, "device: power on: the program started");
    this.say("INFO", null, "modem: registered, home network");
    if (!this.options.quiet) {
      this.say("INFO", "link1", "link 1: up, TCP dtu.example.net:5000 (192.0.2.8:5000)");
      this.say("WARN", "link2", "link 2: no connection to UDP 192.0.2.7:5001: connection refused by 192.0.2.7:5001; it is tried again");
      this.row({ of: "link1", kind: "event", note: "up, 192.0.2.8:5000" });
      this.row({ of: "link1", dir: "out", note: "registration packet", bytes: Buffer.from("DTU0001") });
      this.items.push({ at: new Date(Date.now() - 90_000).toISOString(), from: "+8613912345678", to: "13800100001", text: "admin,AT+CSQ", parts: 1, state: "received" });
      this.items.push({ at: new Date(Date.now() - 88_000).toISOString(), from: "13800100001", to: "+8613912345678", text: "+CSQ: 25, 0\r\nOK", parts: 1, state: "delivered" });
    }
    if (this.options.hostile) {
      this.say("WARN", "link1", `link 1: command from ${EVIL}: refused`);
      this.row({ of: "line", dir: "in", bytes: Buffer.from(EVIL) });
      this.row({ of: "link1", kind: "event", note: `lost: ${EVIL}` });
      this.row({ of: "link1", dir: "in", bytes: Buffer.from(EVIL), note: EVIL });
      this.items.push({ at: new Date().toISOString(), from: EVIL, to: "13800100001", text: EVIL, parts: 1, state: EVIL });
      this.callList.push({ number: EVIL, state: "ringing" });
      this.set("CIMODID", EVIL);
      this.set("CIPSCONT.1.ADDRESS", EVIL);
      this.values.get("CIPNUM").running = EVIL;
    }
  }

  set(key, value) {
    Object.assign(this.values.get(key), { stored: value, running: value });
  }

  async listen(port = 0) {
    this.server = createServer((request, response) => this.serve(request, response));
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}${this.options.base ?? "/"}`;
    this.timers = [setInterval(() => this.tell("status", this.status()), 500)];
    if (!this.options.quiet) {
      this.timers.push(setInterval(() => this.live(), 300));
    }
    return this;
  }

  async close() {
    this.timers.forEach(clearInterval);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** A stop of the whole program, as seen from the page. */
  die() {
    this.isDead = true;
    this.server.closeAllConnections();
  }

  revive() {
    this.isDead = false;
  }

  /** Another run of the program counts anew. */
  restart() {
    this.run = "run-2";
    [this.rows, this.log, this.seq, this.lineSeq] = [[], [], -1, -1];
    [this.trial, this.trialEnded] = [null, null];
  }

  row({ of, dir = "in", kind = "data", note = null, bytes = null, len = bytes?.length ?? 0, injected = false }) {
    this.seq += 1;
    const kept = bytes === null ? null : Buffer.from(bytes).subarray(0, 256).toString("base64");
    const isViewer = this.options.who === "viewer";
    const row = { seq: this.seq, at: Date.now(), of, dir, len, data: isViewer ? "" : kept, note, kind, injected };
    this.rows.push(row);
    this.rows.splice(0, this.rows.length - 5000);
    this.tell("rows", [row], this.seq);
    return row;
  }

  say(level, of, text) {
    this.lineSeq += 1;
    const line = { seq: this.lineSeq, at: Date.now(), level, of, text };
    this.log.push(line);
    this.tell("log", [line]);
  }

  live() {
    const { links } = this.traffic;
    const reading = Buffer.from(`\x02Q${(Math.random() * 1000).toFixed(2)}kWh\x03\r\n`, "latin1");
    this.traffic.lineIn += reading.length;
    this.row({ of: "line", dir: "in", bytes: reading, note: "cut by TIME: silence" });
    links[0].out += 1;
    links[0].outBytes += reading.length;
    this.row({ of: "link1", dir: "out", bytes: reading, note: null });
    links[1].waiting = Math.min(300, links[1].waiting + 1);
    if (Math.random() < 0.2) {
      const ask = Buffer.from([1, 3, 0, 0, 0, 10, 0xc5, 0xcd]);
      links[0].in += 1;
      links[0].inBytes += ask.length;
      this.row({ of: "link1", dir: "in", bytes: ask });
      this.traffic.lineOut += ask.length;
      this.row({ of: "line", dir: "out", bytes: ask });
    }
  }

  /** Many rows at once. */
  flood(count, size = 64) {
    const rows = [];
    for (let n = 0; n < count; n += 1) {
      this.seq += 1;
      rows.push({ seq: this.seq, at: Date.now(), of: "line", dir: "in", len: size, data: Buffer.alloc(Math.min(size, 256), n).toString("base64"), note: null, kind: "data", injected: false });
    }
    this.rows.push(...rows);
    this.rows.splice(0, this.rows.length - 5000);
    this.tell("rows", rows, this.seq);
  }

  tell(event, data, id) {
    for (const stream of this.streams) {
      if (stream.want.has(event) || event === "gap") {
        stream.response.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      }
    }
  }

  value(key) {
    return this.values.get(key).running;
  }

  /** A real box has no counters; this one does not even tell its mode. */
  status() {
    const all = this.whole();
    if (!this.options.bare) {
      return all;
    }
    const none = (of, ...kept) => Object.fromEntries(Object.entries(of).map(([name, value]) => [name, kept.includes(name) ? value : null]));
    const leds = { pow: "on", net: null, data: null };
    const serial = none(all.serial, "state", "present");
    const radio = { ...none(all.radio, "operator", "signal_dbm", "signal", "address"), missing: [] };
    const links = all.links.map((link) => none(link, "number", "enabled", "protocol", "address", "port"));
    return { ...all, uptime: null, restarts: null, mode: null, phase: null, leds, serial, radio, links, messages_to_be_sent: null, drops: null, not_stored: null, trial_ended: undefined };
  }

  whole() {
    const { links, lineIn, lineOut } = this.traffic;
    const seconds = (Date.now() - this.started) / 1000;
    const name = (text) => (this.options.hostile ? EVIL : text);
    if (this.trial && Date.now() > this.trial.until) {
      this.rollBack("expired");
    }
    return {
      at: new Date().toISOString(),
      uptime: 11_000 + seconds,
      restarts: 2,
      version: this.version,
      mode: { number: Number(this.value("CIMOD")), word: "transparent mode" },
      phase: "data",
      leds: { pow: "on", net: "on", data: this.options.quiet ? "off" : "blink" },
      serial: { line: "pty:./dtu0", state: "present", present: true, baud: 115200, bytes_in: lineIn, bytes_out: lineOut, waiting_bytes: 0, dropped_bytes: 0 },
      radio:
        this.options.radio === "none"
          ? { modem: null, sim: null, registration: null, operator: null, signal_dbm: null, signal: "unknown", address: "192.168.1.20", missing: [] }
          : { modem: name("simulated radio"), sim: "ready", registration: "registered, home network", operator: name("中国移动 China Mobile"), signal_dbm: -63, signal: "known", address: "10.0.0.2", missing: [], ...this.radio },
      links: links.map((link) => {
        const head = `CIPSCONT.${link.number}`;
        const enabled = this.value(`${head}.START`) === "1";
        const isUp = link.number === 1;
        return {
          number: link.number,
          enabled,
          protocol: this.value(`${head}.PROTOCOL`),
          address: this.value(`${head}.ADDRESS`),
          port: Number(this.value(`${head}.PORT`)),
          state: enabled ? (isUp ? "connected" : "waiting") : "off",
          waiting_for: enabled && !isUp ? "retry" : null,
          reason: enabled && !isUp ? name("refused") : null,
          timer: enabled ? (isUp ? { what: "heartbeat", seconds: 30 - (seconds % 30) } : { what: "retry", seconds: 20 - (seconds % 20) }) : null,
          waiting_frames: link.waiting,
          waiting_bytes: link.waiting * 3300,
          cache_bytes: 1024 * 1024,
          frames_in: link.out + link.waiting,
          frames_out: link.out,
          bytes_in: link.outBytes + link.waiting * 15,
          bytes_out: link.outBytes,
          received_bytes: link.inBytes,
          dropped_frames: 0,
          dropped_bytes: 0,
          reconnects: isUp ? 1 : 7,
          rtt_ms: enabled && isUp ? 43.2 : null,
        };
      }),
      httpd: null,
      serial_command: null,
      messages_to_be_sent: 0,
      drops: this.options.hostile
        ? { since: new Date(this.started).toISOString(), count: 3, bytes: 512, places: [{ place: EVIL, count: 3, bytes: 512 }] }
        : { since: new Date(this.started - 11_000_000).toISOString(), count: 0, bytes: 0, places: [] },
      trial: this.trial && { id: this.trial.id, seconds_left: (this.trial.until - Date.now()) / 1000, by: "console", keys: this.trial.keys },
      trial_ended: this.trialEnded,
      not_stored: this.notStored(),
    };
  }

  session() {
    const { who, login, live, radio, confirm } = this.options;
    return {
      who,
      login,
      csrf: this.csrf,
      instance: "mock",
      version: this.version,
      fingerprint: this.options.fingerprint ?? null,
      patience: this.options.patience,
      features: { live, inject: live, radio, confirm, name: this.options.hostile ? EVIL : "dtud on pty:./dtu0", via: live ? "local" : "port", local_only_settings: [] },
    };
  }

  /** No answer to `api/settings` until what this returns is called. @returns {() => void} */
  holdReading() {
    /** @type {() => void} */
    let release = () => {};
    this.reading = new Promise((resolve) => (release = () => resolve()));
    return release;
  }

  settings() {
    const values = {};
    for (const [key, it] of this.values) {
      const { secret, command } = fields.get(key);
      const hide = (value) => (secret ? "****" : value);
      values[key] = { stored: hide(it.stored), running: hide(it.running), factory: it.factory, secret, readable: command.readable };
    }
    return { etag: `"${this.etag}"`, values, unread: this.unread };
  }

  check(values) {
    const faults = [];
    const changes = [];
    for (const [key, value] of Object.entries(values)) {
      const field = fields.get(key);
      const isNumber = field.kind === "number";
      const isBad = (isNumber && !(/^\d+$/.test(value) && Number(value) >= field.min && Number(value) <= field.max)) ||
        (field.kind === "packet" && !/^([0-9a-f]{2}){0,40}$/i.test(value));
      if (isBad) {
        const name = `${field.command.label}: ${field.name}`;
        faults.push({ key, message: `${name} must be ${field.range}, got ${value}`, message_zh: `${name} 必须为 ${field.range_zh},收到 ${value}` });
      }
      if (value !== this.value(key)) {
        changes.push({ key, from: field.secret ? null : this.value(key), to: field.secret ? "****" : value, takes_effect: field.command.takes_effect });
      }
    }
    const lines = changes.map(({ key, to }) => `AT+${key}=${to}`);
    const all = { links: 1, frames: 14 };
    const isLink = changes.some((change) => change.takes_effect === "restart");
    const onTrial = isLink ? all : { links: 0, frames: 0 };
    const { live, confirm } = this.options;
    const cost = live && changes.length > 0 ? { on_trial: confirm ? onTrial : null, at_once: all } : null;
    const isOther = (key) => !(key in values);
    const along = { on_trial: live ? this.notApplied().filter(isOther) : null, at_once: live ? this.notStored().filter(isOther) : null };
    return { faults, changes, lines, cost, along };
  }

  notStored() {
    return [...this.values].filter(([, it]) => it.running !== it.stored).map(([key]) => key);
  }

  notApplied() {
    return this.notStored().filter((key) => !this.applied.has(key));
  }

  apply({ values, confirm }, etag) {
    if (etag !== `"${this.etag}"`) {
      const of = (get) => Object.fromEntries(Object.keys(values).map((key) => [key, get(key)]));
      return [412, { error: "changed", message: "the settings were changed meanwhile", mine: values, theirs: of((key) => this.value(key)), base: of((key) => this.values.get(key).factory) }];
    }
    if (Object.values(values).includes("fail.example")) {
      return [200, { outcome: "put_back", failure: "AT+CIPSCONT=1: +CME ERROR: refused", not_verifiable: [], left: [], trial: null, steps: ["set 1 of 1", "put back"] }];
    }
    for (const [key, value] of Object.entries(values)) {
      // A device tells a number without the zeros in front.
      this.values.get(key).running = fields.get(key).kind === "number" ? String(Number(value)) : value;
    }
    this.etag += 1;
    const secrets = Object.keys(values).filter((key) => fields.get(key).secret);
    if (confirm !== null) {
      this.trial = { id: this.etag, until: Date.now() + confirm * 1000, keys: this.notApplied() };
      this.trialEnded = null;
      return [200, { outcome: "trial", failure: null, not_verifiable: secrets, left: [], trial: { id: this.etag, seconds_left: confirm, by: "console" }, steps: [] }];
    }
    this.store();
    return [200, { outcome: "done", failure: null, not_verifiable: secrets, left: [], trial: null, steps: [] }];
  }

  store() {
    this.applied.clear();
    for (const it of this.values.values()) {
      it.stored = it.running;
    }
    this.trialEnded = this.trial && { how: "kept", keys: this.trial.keys };
    this.trial = null;
    this.etag += 1;
  }

  /** What was set before and not stored goes back, too. */
  rollBack(how = "undone") {
    for (const key of this.notApplied()) {
      const it = this.values.get(key);
      it.running = it.stored;
    }
    this.trialEnded = { how, keys: this.trial.keys };
    this.trial = null;
    this.etag += 1;
  }

  async serve(request, response) {
    if (this.isDead) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url, "http://mock/");
    const base = this.options.base ?? "/";
    if (!url.pathname.startsWith(base)) {
      response.writeHead(404).end();
      return;
    }
    const path = url.pathname.slice(base.length);
    if (path === "" || path.startsWith("assets/")) {
      this.file(path, response);
      return;
    }
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString();
    if (request.method === "POST") {
      this.calls.push({ path, body, csrf: request.headers["x-csrf"] });
    }
    if (this.swallowed.delete(path)) {
      return;
    }
    const answer = this.answer(request, response, path, url.searchParams, body);
    if (answer !== undefined) {
      const [status, value] = answer;
      if (path === "api/settings") {
        await this.reading;
      }
      if (path === "api/rows" && this.slow > 0) {
        this.waiting += 1;
        await new Promise((resolve) => setTimeout(resolve, this.slow));
      }
      response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      response.end(JSON.stringify(value));
    }
  }

  answer(request, response, path, query, body) {
    const json = () => JSON.parse(body);
    if (path === "api/session") {
      return [200, this.session()];
    }
    if (path === "api/login") {
      const { password } = json();
      if (password !== "secret" && password !== "view") {
        this.guesses += 1;
        return this.guesses > 3 ? [429, { error: "guessing", message: "too many", retry_after: 1 }] : [403, { error: "password", message: "wrong" }];
      }
      this.options.who = password === "view" ? "viewer" : "owner";
      return [200, this.session()];
    }
    if (this.options.who === null) {
      return [401, { error: "login", message: "log in first" }];
    }
    if (request.method === "POST") {
      if (request.headers["x-csrf"] !== this.csrf) {
        return [403, { error: "csrf", message: "no token" }];
      }
      if (this.options.who === "viewer" && path !== "api/logout") {
        return [403, { error: "viewer", message: "viewers change nothing" }];
      }
    }
    if (this.options.who === "viewer" && /^api\/(settings|log|traffic\.pcapng)$/.test(path)) {
      return [403, { error: "viewer", message: "not for viewers" }];
    }
    if (["from", "to", "limit"].some((name) => query.has(name) && !/^\d+$/.test(query.get(name)))) {
      return [400, { error: "bad", message: "from, to and limit are numbers" }];
    }
    const range = (list) => {
      const [from, to, limit] = ["from", "to", "limit"].map((name) => (query.has(name) ? Number(query.get(name)) : null));
      const found = list.filter((it) => (from === null || it.seq >= from) && (to === null || it.seq <= to));
      return from === null ? found.slice(-(limit ?? 1000)) : found.slice(0, limit ?? 1000);
    };
    switch (path) {
      case "api/logout":
        this.options.who = null;
        return [200, {}];
      case "api/status":
        return [200, this.status()];
      case "api/trial":
        return [200, { trial: this.status().trial }];
      case "api/schema":
        return [200, this.options.prose ? schema : withoutProse(schema)];
      case "api/commands":
        return [200, commands];
      case "api/settings":
        return [200, this.settings()];
      case "api/check":
        return [200, this.check(json().values)];
      case "api/apply":
        return this.apply(json(), request.headers["if-match"]);
      case "api/keep":
      case "api/save":
        this.store();
        return [200, { ok: true }];
      case "api/rollback":
        this.rollBack();
        return [200, { ok: true }];
      case "api/restart":
      case "api/factory":
      case "api/hangup":
        this.callList = [];
        return [200, { ok: true }];
      case "api/export":
        response.writeHead(200, { "Content-Disposition": "attachment; filename=\"dtu.toml\"", "Content-Type": "application/toml" });
        response.end("\"CIPCFG.HEAT\" = \"30\"\n");
        return undefined;
      case "api/import": {
        const values = {};
        for (const [place, line] of body.split("\n").entries()) {
          const found = /^"?([\w.]+)"? *= *"?([^"]*)"?$/.exec(line);
          if (line !== "" && (!found || !fields.has(found[1]))) {
            return [200, { values: {}, fault: { line: place + 1, column: 1, message: `${line} is no setting` } }];
          }
          if (found) {
            values[found[1]] = found[2];
          }
        }
        return [200, { values, fault: null }];
      }
      case "api/at": {
        const { line: typed } = json();
        // As the core masks it, which is tested there.
        const line = typed.replace(/(CIPSW=).*/i, "$1****");
        if (/^AT\+CSQ$/i.test(line)) {
          return [200, { line, lines: ["+CSQ: 25, 0"], end: "OK", ok: true }];
        }
        if (/SILENT/i.test(line)) {
          return undefined;
        }
        if (/EVIL/i.test(line)) {
          return [200, { line, lines: [EVIL], end: "OK", ok: true }];
        }
        const ok = /^AT/i.test(line);
        return [200, { line, lines: [], end: ok ? "OK" : "+CME ERROR: unknown command; AT+HELP lists them", ok }];
      }
      case "api/rows":
        return [200, { run: this.run, rows: range(this.rows), missed: 0, next: this.seq + 1 }];
      case "api/log":
        return [200, { run: this.run, lines: range(this.log), missed: 0, next: this.lineSeq + 1 }];
      case "api/messages":
        if (this.options.who === "viewer") {
          const items = this.items.map((item) => ({ ...item, from: null, to: null, text: null }));
          return [200, { phone: null, items, calls: this.callList.map((call) => ({ ...call, number: null })) }];
        }
        return [200, { phone: "13800100001", items: this.items, calls: this.callList }];
      case "api/sms": {
        const { from, text } = json();
        this.items.push({ at: new Date().toISOString(), from, to: "13800100001", text, parts: 1, state: "received" });
        return [200, { ok: true }];
      }
      case "api/call":
        this.callList = [{ number: json().number, state: "ringing" }];
        return [200, { ok: true }];
      case "api/inject": {
        const { to, from, data_hex } = json();
        this.row({ of: to, dir: from === "dte" ? "in" : "in", bytes: Buffer.from(data_hex, "hex"), note: "injected", injected: true });
        return [200, { ok: true }];
      }
      case "api/traffic.pcapng":
        response.writeHead(200, { "Content-Type": "application/octet-stream" });
        response.end(Buffer.from("0a0d0d0a", "hex"));
        return undefined;
      case "api/events": {
        response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
        const stream = { response, want: new Set((query.get("want") ?? "status").split(",")) };
        this.streams.add(stream);
        request.on("close", () => this.streams.delete(stream));
        response.on("close", () => this.streams.delete(stream));
        const hello = { run: this.run, status: this.status(), rows: { next: this.seq + 1 }, log: { next: this.lineSeq + 1 } };
        response.write(`event: hello\ndata: ${JSON.stringify(hello)}\n\n`);
        return undefined;
      }
      default:
        return [404, { error: "missing", message: `there is no ${path}` }];
    }
  }

  file(path, response) {
    const names = readdirSync(ASSETS);
    const hash = createHash("sha256");
    names.forEach((name) => hash.update(readFileSync(new URL(name, ASSETS))));
    const id = hash.digest("hex").slice(0, 12);
    const name = path === "" ? "index.html" : path.split("/").at(-1);
    if (!names.includes(name)) {
      response.writeHead(404).end();
      return;
    }
    let content = readFileSync(new URL(name, ASSETS));
    if (name === "index.html") {
      content = Buffer.from(content.toString().replaceAll("\"assets/", `"assets/${id}/`));
    }
    response.writeHead(200, {
      "Content-Type": `${TYPES[name.split(".").at(-1)]}; charset=utf-8`,
      "Content-Encoding": "gzip",
      "Content-Security-Policy": CSP,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": name === "index.html" ? "no-cache" : "public, max-age=31536000, immutable",
    });
    response.end(gzipSync(content));
  }
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split("/").at(-1))) {
  const has = (name) => process.argv.includes(`--${name}`);
  const of = (name, usual) => (has(name) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : usual);
  const who = of("who", "local");
  const mock = new Mock({ who: who === "none" ? null : who, radio: of("radio", "sim"), live: !has("still"), confirm: !has("still"), hostile: has("hostile"), quiet: has("quiet"), bare: has("bare") });
  await mock.listen(Number(of("port", "7299")));
  console.log(mock.url);
}
