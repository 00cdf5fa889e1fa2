// The event stream: one EventSource a tab, closed while the tab is hidden.
import { ApiError, get } from "./api.js";
import { cell } from "./store.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {{state: "starting" | "live" | "lost" | "still", since: number}} Connection */
/** @typedef {"status" | "rows" | "log"} Want */

/** The device as it was told last. @type {import("./store.js").Cell<Status | null>} */
export const status = cell(/** @type {Status | null} */ (null));
/** The run of the program that tells it; numbers count anew in each. */
export const run = cell("");
/** When `status` came, by `performance.now()`: countdowns run from there. */
export let statusAt = 0;
/** @type {import("./store.js").Cell<Connection>} */
export const connection = cell(/** @type {Connection} */ ({ state: "starting", since: Date.now() }));

/** Without a word for so long a stream is dead, half open or not. */
const SILENCE_MS = 25_000;
/** The device goes back by itself; it is asked then. */
const AFTER_TRIAL_MS = 2000;
const RETRY_MS = [500, 1000, 2000, 4000, 5000];

/** @type {EventSource | null} */
let source = null;
/** @type {Set<Want>} */
let wanted = new Set(/** @type {Want[]} */ (["status"]));
/** @type {Set<(event: Feed) => void>} */
const listeners = new Set();
let failures = 0;
let isOn = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;
/** @type {() => Promise<boolean>} */
let mayConnect = () => Promise.resolve(true);

/**
 * @typedef {"rows" | "log"} RowFeed
 * @typedef {{of: "items", feed: RowFeed, items: any[]}
 *   | {of: "hello", run: string, next: Record<RowFeed, number | null>}} Feed
 */

/** @param {Status} now */
export function setStatus(now) {
  statusAt = performance.now();
  status.set(now);
}

/** Rows and log lines as they come; what the console left out shows in their numbers. @param {(event: Feed) => void} act */
export function listen(act) {
  listeners.add(act);
  return () => listeners.delete(act);
}

/** @param {Feed} event */
function tell(event) {
  for (const act of [...listeners]) {
    act(event);
  }
}

/** What this page needs beside the status. @param {Want[]} more */
export function want(more) {
  const next = new Set(/** @type {Want[]} */ (["status", ...more]));
  const isSame = next.size === wanted.size && [...next].every((it) => wanted.has(it));
  wanted = next;
  if (!isSame && source !== null) {
    open();
  }
}

/**
 * Begins to follow the device. `check` looks whether one may still connect, after a failure.
 * @param {() => Promise<boolean>} check
 */
export function start(check) {
  mayConnect = check;
  if (isOn) {
    return;
  }
  isOn = true;
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", onVisibility);
  if (!document.hidden) {
    open();
  }
}

export function stop() {
  isOn = false;
  close();
  clearTimeout(retry);
  document.removeEventListener("visibilitychange", onVisibility);
}

function onVisibility() {
  if (!isOn) {
    return;
  }
  if (document.hidden) {
    close();
    clearTimeout(retry);
  } else if (source === null) {
    open();
  }
}

function close() {
  source?.close();
  source = null;
  clearTimeout(silence);
}

function alive() {
  clearTimeout(silence);
  silence = setTimeout(lost, SILENCE_MS);
  failures = 0;
  if (connection.get().state !== "live") {
    connection.set({ state: "live", since: Date.now() });
  }
}

function open() {
  close();
  clearTimeout(retry);
  const opened = new EventSource(`api/events?want=${[...wanted].join(",")}`);
  source = opened;
  silence = setTimeout(lost, SILENCE_MS);
  /** @param {string} name @param {(data: any) => void} act */
  const on = (name, act) =>
    opened.addEventListener(name, (event) => {
      if (source !== opened) {
        return;
      }
      alive();
      let data;
      try {
        data = JSON.parse(event.data);
      } catch {
        return;
      }
      act(data);
    });
  on("hello", (hello) => {
    run.set(String(hello.run));
    setStatus(hello.status);
    tell({ of: "hello", run: String(hello.run), next: { rows: hello.rows?.next ?? null, log: hello.log?.next ?? null } });
  });
  on("status", setStatus);
  on("rows", (items) => tell({ of: "items", feed: "rows", items }));
  on("log", (items) => tell({ of: "items", feed: "log", items }));
  opened.onerror = () => {
    if (source === opened) {
      lost();
    }
  };
}

function lost() {
  close();
  if (connection.get().state !== "lost") {
    connection.set({ state: "lost", since: Date.now() });
  }
  const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5000;
  failures += 1;
  clearTimeout(retry);
  retry = setTimeout(async () => {
    if (!isOn || document.hidden) {
      return;
    }
    try {
      if (await mayConnect()) {
        open();
      }
    } catch {
      lost();
    }
  }, wait);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let after;

/**
 * A device without a feed: its status is asked for once, by hand again, and when a trial must be over.
 */
export async function readOnce() {
  clearTimeout(after);
  try {
    const now = /** @type {Status} */ (await get("status"));
    setStatus(now);
    if (now.trial) {
      after = setTimeout(() => void readOnce(), now.trial.seconds_left * 1000 + AFTER_TRIAL_MS);
    }
    connection.set({ state: "still", since: Date.now() });
  } catch (error) {
    connection.set({ state: "lost", since: Date.now() });
    if (!(error instanceof ApiError)) {
      throw error;
    }
  }
}
