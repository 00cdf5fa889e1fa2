// What the pages of rows have in common: a list that follows the device, its pause, and what is said of it.
import { button, h, setText } from "./dom.js";
import * as format from "./format.js";
import { t } from "./i18n.js";
import { listen, want } from "./live.js";
import { announce, complain } from "./parts.js";

/** @typedef {import("./live.js").RowFeed} RowFeed */

const ANNOUNCE_MS = 10_000;

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

  const off = listen(async (event) => {
    if (event.of === "hello") {
      await catchUp(event.next[what.feed]);
    } else if (event.feed === what.feed && event.of === "gap") {
      list.skip(event.count);
    } else if (event.feed === what.feed && event.of === "items") {
      const items = what.taken(event.items);
      list.add(items);
      heard.count += items.length;
      heard.bytes += items.reduce((sum, item) => sum + what.size(item), 0);
    }
  });

  /** After a lost connection or a hidden tab. @param {number | null} next */
  async function catchUp(next) {
    const from = list.last + 1;
    if (from <= 0 || next === null || next <= from) {
      return;
    }
    try {
      const items = await what.fetch(`from=${from}&limit=1000`);
      list.add(items);
      const first = items[0] === undefined ? next : list.numberOf(items[0]);
      if (first > from) {
        list.skip(first - from);
      }
    } catch (error) {
      complain(error);
    }
  }

  want([what.feed]);
  what.fetch("limit=200").then((items) => list.add(items), complain);
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
