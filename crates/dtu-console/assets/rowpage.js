// What the pages of rows have in common: a list that follows the device, its pause, and what is said of it.
import { button, h, setText } from "./dom.js";
import * as format from "./format.js";
import { t } from "./i18n.js";
import { listen, want } from "./live.js";
import { announce, complain } from "./parts.js";

/** @typedef {import("./live.js").RowFeed} RowFeed */

const ANNOUNCE_MS = 10_000;
/** Rows of a page that opens, and of one request. */
const FIRST = 200;
const MOST = 1000;
/** Rows that wait for older ones; those before them become a gap. */
const HELD = 5000;

/**
 * @template Item
 * @param {import("./livelist.js").LiveList<Item>} list
 * @param {{
 *   feed: RowFeed, fetch: (query: string) => Promise<Item[]>, taken: (raw: any[]) => Item[],
 *   shown: Parameters<typeof t>[0], newer: Parameters<typeof t>[0],
 *   size: (item: Item) => number, sum: (count: number, bytes: number) => string,
 * }} what
 */
export function followed(list, what) {
  const state = h("p", { class: "list-state" });
  const pause = button(t("traffic.pause"), () => list.pause(!list.isPaused), { class: "small" });
  const follow = button("", () => list.follow(), { class: "primary follow" });

  function show() {
    const parts = [t(what.shown, { n: format.count(list.shown.length) })];
    if (list.skipped > 0) {
      parts.push(t("traffic.skipped", { n: format.count(list.skipped) }));
    }
    setText(state, parts.join(" · "));
    setText(pause, list.isPaused ? t("traffic.go") : t("traffic.pause"));
    pause.setAttribute("aria-pressed", String(list.isPaused));
    follow.hidden = list.isFollowing && !list.isPaused;
    setText(follow, list.newer > 0 ? t(what.newer, { n: list.newer }) : t("traffic.follow"));
  }

  // Each row aloud would be noise: a sum now and then.
  let heard = { count: 0, bytes: 0 };
  const speaking = setInterval(() => {
    if (heard.count > 0) {
      announce(what.sum(heard.count, heard.bytes));
      heard = { count: 0, bytes: 0 };
    }
  }, ANNOUNCE_MS);

  let run = "";
  let isLoading = false;
  let isStale = false;
  /** What comes while older ones are on their way. @type {Item[]} */
  let held = [];

  const off = listen((event) => {
    if (event.of === "hello") {
      if (run !== "" && event.run !== run) {
        list.restart();
      }
      run = event.run;
      void load(event.next[what.feed]);
    } else if (event.feed === what.feed) {
      const items = what.taken(event.items);
      heard.count += items.length;
      heard.bytes += items.reduce((sum, item) => sum + what.size(item), 0);
      if (isLoading) {
        held.push(...items);
        held.splice(0, held.length - HELD);
      } else {
        list.add(items);
      }
    }
  });

  /** What was said before this stream, or while there was none. @param {number | null} next */
  async function load(next) {
    if (isLoading) {
      isStale = true;
      return;
    }
    isLoading = true;
    do {
      isStale = false;
      const from = list.last + 1;
      const isNear = from > 0 && (next === null || next - from <= MOST);
      try {
        if (next === null || next !== from || from === 0) {
          list.add(await what.fetch(isNear ? `from=${from}&limit=${MOST}` : `limit=${from > 0 ? MOST : FIRST}`));
        }
      } catch (error) {
        complain(error);
      }
      next = null;
    } while (isStale);
    isLoading = false;
    list.add(held);
    held = [];
  }

  want([what.feed]);
  void load(null);
  return {
    state,
    pause,
    box: h("div", { class: "list-box" }, list.scroller, follow),
    show,
    end() {
      clearInterval(speaking);
      off();
      list.end();
    },
  };
}

/**
 * What the list asks for when somebody scrolls up.
 * @template Item
 * @param {(query: string) => Promise<Item[]>} fetch
 * @returns {(before: number, limit: number) => Promise<Item[]>}
 */
export function olderBy(fetch) {
  return (before, limit) => fetch(`${before === Number.MAX_SAFE_INTEGER ? "" : `to=${before - 1}&`}limit=${limit}`);
}
