// Bytes a second of the line and each link, kept over pages.
import { status } from "./live.js";

export const ROOM = 120;
const STEP_MS = 950;

/** @typedef {{out: number, in: number}} Sample */
/** @type {Map<string, Sample[]>} */
const samples = new Map();
/** @type {Map<string, Sample>} */
let before = new Map();
let beforeAt = 0;
let movedAt = -Infinity;
let total = -1;

/** @param {string} of `line`, `link1` */
export function rates(of) {
  return samples.get(of) ?? [];
}

/** Whether bytes moved within the last moments. */
export function isBusy() {
  return performance.now() - movedAt < 1200;
}

export function keepHistory() {
  status.watch((now) => {
    if (now === null) {
      return;
    }
    /** @type {Map<string, Sample>} */
    const counters = new Map([["line", { out: now.serial.bytes_out ?? 0, in: now.serial.bytes_in ?? 0 }]]);
    for (const link of now.links) {
      counters.set(`link${link.number}`, { out: link.bytes_out ?? 0, in: link.received_bytes ?? link.bytes_in ?? 0 });
    }
    const sum = [...counters.values()].reduce((all, it) => all + it.out + it.in, 0);
    if (total >= 0 && sum !== total) {
      movedAt = performance.now();
    }
    total = sum;
    const at = performance.now();
    const seconds = (at - beforeAt) / 1000;
    if (at - beforeAt < STEP_MS) {
      return;
    }
    for (const [of, counter] of counters) {
      const last = before.get(of);
      if (last !== undefined) {
        const kept = samples.get(of) ?? [];
        // After a restart the counters begin anew.
        const rate = (/** @type {number} */ a, /** @type {number} */ b) => Math.max(0, a - b) / seconds;
        kept.push({ out: rate(counter.out, last.out), in: rate(counter.in, last.in) });
        samples.set(of, kept.slice(-ROOM));
      }
    }
    before = counters;
    beforeAt = at;
  });
}
