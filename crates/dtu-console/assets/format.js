// Numbers, sizes, times.

/** What was not told. */
export const NONE = "–";

/** @param {number | null} count */
export function bytes(count) {
  if (count === null) {
    return NONE;
  }
  if (count < 1024) {
    return `${count} B`;
  }
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let size = count / 1024;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** @param {number | null} count */
export function count(count) {
  return count === null ? NONE : String(Math.trunc(count)).replace(/\B(?=(\d{3})+$)/g, "\u202F");
}

/**
 * Parts of a duration, the two largest: `[["d", 3], ["h", 2]]`.
 * @param {number} seconds
 * @returns {Array<["d" | "h" | "min" | "s", number]>}
 */
export function durationParts(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  /** @type {Array<["d" | "h" | "min" | "s", number]>} */
  const parts = [
    ["d", Math.floor(whole / 86400)],
    ["h", Math.floor(whole / 3600) % 24],
    ["min", Math.floor(whole / 60) % 60],
    ["s", whole % 60],
  ];
  const first = parts.findIndex(([, value]) => value > 0);
  if (first < 0) {
    return [["s", 0]];
  }
  return parts.slice(first, first + 2).filter(([, value], place) => place === 0 || value > 0);
}

/** `4:05`, `1:04:05`: for countdowns. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** The time of day of the browser's zone, to the millisecond. @param {number} ms */
export function timeOfDay(ms) {
  const at = new Date(ms);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const rest = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${rest}`;
}

/** The time of day, with the date where that is not today. @param {number} ms */
export function timeOrDate(ms) {
  const isToday = new Date(ms).toDateString() === new Date().toDateString();
  return isToday ? timeOfDay(ms) : dateTime(ms).slice(0, 19);
}

/** Date, time and offset of the browser's zone: `2026-11-30 02:15:04 +01:00`. @param {number} ms */
export function dateTime(ms) {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) {
    return "?";
  }
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date} ${timeOfDay(ms).slice(0, 8)} ${zone}`;
}
