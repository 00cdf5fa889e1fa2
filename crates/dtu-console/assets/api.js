// The JSON API. URLs are relative, so that the page works under any prefix.

/** @typedef {import("./types.js").Session} Session */

/** What the console answered against a request. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   */
  constructor(status, body) {
    super(String(body["message"] ?? body["error"] ?? `HTTP ${status}`));
    this.status = status;
    this.body = body;
    /** `offline`: nobody answered. */
    this.id = String(body["error"] ?? (status === 0 ? "offline" : `http-${status}`));
  }
}

let csrf = "";
/** An answer that has not come by then is lost: a connection that is half open says so never. */
const USUAL_MS = 30_000;
/** A trial runs out meanwhile, and another command may be under way. */
const DECISION_MS = 60_000;
/** So long the console takes at most; until it has said so, the usual time. */
let patience = USUAL_MS;
/** The way there and back. */
const ON_THE_WAY = 5000;
const DECISIONS = ["keep", "rollback"];
/** These wait for commands of the device; its status does where there is no feed, and is not asked for otherwise. */
const LONG = ["apply", "at", "check", "export", "factory", "restart", "save", "settings", "status"];
/** @type {(error: ApiError) => void} */
let onLogin = () => {};

/** @param {string} token */
export function setCsrf(token) {
  csrf = token;
}

/** Who does not wait as long as the console takes would miss the answer of a command. @param {number} seconds */
export function setPatience(seconds) {
  patience = seconds * 1000 + ON_THE_WAY;
}

/** What to do where a log-in is needed. @param {(error: ApiError) => void} act */
export function whenLoginNeeded(act) {
  onLogin = act;
}

/** @param {string} path */
function longest(path) {
  if (DECISIONS.includes(path)) {
    return DECISION_MS;
  }
  return LONG.includes(path) ? patience : USUAL_MS;
}

/**
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function request(path, init = {}) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`api/${path}`, {
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(longest(path)),
      ...init,
    });
  } catch {
    throw new ApiError(0, {});
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const error = new ApiError(response.status, body);
    if (response.status === 401) {
      onLogin(error);
    }
    throw error;
  }
  return response;
}

/** @param {string} path @returns {Promise<any>} */
export async function get(path) {
  return (await request(path)).json();
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {{headers?: Record<string, string>}} [more]
 */
function send(path, body, more = {}) {
  const isText = typeof body === "string" || body instanceof Blob;
  return request(path, {
    method: "POST",
    headers: {
      "Content-Type": isText ? "text/plain; charset=utf-8" : "application/json",
      "X-CSRF": csrf,
      ...more.headers,
    },
    body: isText ? body : JSON.stringify(body),
  });
}

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {{headers?: Record<string, string>}} [more]
 * @returns {Promise<any>}
 */
export async function post(path, body = {}, more = {}) {
  const response = await send(path, body, more);
  const text = await response.text();
  return text === "" ? {} : JSON.parse(text);
}

/**
 * A file that the answer is, with its name.
 * @param {string} path
 * @param {unknown} body
 */
export async function postForFile(path, body) {
  const response = await send(path, body);
  const named = /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "");
  return { blob: await response.blob(), name: named?.[1] ?? null };
}
