// A list that grows by itself: few elements, many rows. It follows its end until somebody scrolls up.
import { fill, h } from "./dom.js";

/** At most so many rows stand in the document. */
const ELEMENTS = 300;
const SHIFT = 100;
/** What the page keeps; the rest is in the recorder. */
const KEPT_ROWS = 20_000;
const KEPT_BYTES = 8 * 1024 * 1024;
/** At most ten times a second. */
const FLUSH_MS = 100;
const NEAR = 60;

/**
 * @template Item
 */
export class LiveList {
  /** @type {Item[]} */
  #all = [];
  /** Those that the filter lets through. @type {Item[]} */
  #shown = [];
  #bytes = 0;
  #start = 0;
  #end = 0;
  #isFollowing = true;
  #isPaused = false;
  #skipped = 0;
  /** The number of the last one of this run of the device. */
  #last = -1;
  #hasRestarted = false;
  /** Items that stand for what is missing. @type {WeakSet<any>} */
  #gaps = new WeakSet();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isLoading = false;
  #isAtBegin = false;
  #list = h("ol", { class: "rows" });
  #what;
  /** @type {Item | null} */
  #marked = null;

  /**
   * @param {{
   *   label: string, render: (item: Item) => HTMLElement, size: (item: Item) => number, seq: (item: Item) => number,
   *   accepts: (item: Item) => boolean, older: (before: number, limit: number) => Promise<Item[]>,
   *   changed: () => void, empty: () => Node, gap: (count: number, before: Item) => Item,
   * }} what
   */
  constructor(what) {
    this.#what = what;
    this.scroller = h(
      "div",
      { class: "scroller", tabindex: "0", role: "region", "aria-label": what.label, on: { scroll: () => this.#scrolled() } },
      this.#list,
    );
    this.#render();
  }

  get isFollowing() {
    return this.#isFollowing;
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** Rows below what is seen. */
  get newer() {
    return this.#shown.length - this.#end;
  }

  /** Rows that came too fast to be shown, and those that the console left out. */
  get skipped() {
    return this.#skipped;
  }

  get shown() {
    return this.#shown;
  }

  get last() {
    return this.#last;
  }

  /** Numbers that are missing between these and the last ones become a row that says how many. @param {Item[]} items */
  add(items) {
    const isFirst = this.#last < 0;
    for (const item of items) {
      const number = this.#what.seq(item);
      if (number <= this.#last) {
        continue;
      }
      const missing = number - this.#last - 1;
      // Of what was before the first ones nothing is known: the recorder's rings are not of one age.
      if (missing > 0 && !isFirst) {
        const gap = this.#what.gap(missing, item);
        this.#gaps.add(gap);
        this.#skipped += missing;
        this.#push(gap);
      }
      this.#push(item);
      this.#last = number;
    }
    this.#trim();
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** @param {Item} item */
  #push(item) {
    this.#all.push(item);
    this.#bytes += this.#what.size(item);
    if (this.#accepts(item)) {
      this.#shown.push(item);
    }
  }

  /** @param {Item} item */
  #accepts(item) {
    return this.#gaps.has(item) || this.#what.accepts(item);
  }

  /** The device counts anew. What it told before stays; there is no more of that to be had. */
  restart() {
    this.#last = -1;
    this.#hasRestarted = true;
    this.#isAtBegin = true;
  }

  /** @param {boolean} isPaused */
  pause(isPaused) {
    this.#isPaused = isPaused;
    if (!isPaused) {
      this.follow();
    }
    this.#what.changed();
  }

  follow() {
    this.#isPaused = false;
    this.#isFollowing = true;
    this.#toEnd();
    this.#what.changed();
  }

  /** The filter or the form of the rows is another. */
  renew() {
    this.#shown = this.#all.filter((item) => this.#accepts(item));
    this.#toEnd();
    this.#what.changed();
  }

  clear() {
    this.#all = [];
    this.#bytes = 0;
    this.#skipped = 0;
    this.#isAtBegin = true;
    this.renew();
  }

  /** Everything that the recorder still has. */
  async loadAll() {
    while (!this.#isAtBegin && this.#all.length < KEPT_ROWS && this.#bytes < KEPT_BYTES) {
      const before = this.#all.length;
      await this.#loadOlder(1000);
      if (this.#all.length === before) {
        break;
      }
    }
  }

  /** Brings a row into view, and marks it. @param {Item} item */
  reveal(item) {
    const at = this.#shown.indexOf(item);
    if (at < 0) {
      return;
    }
    this.#isFollowing = false;
    this.#marked = item;
    this.#start = Math.max(0, at - SHIFT);
    this.#end = Math.min(this.#shown.length, this.#start + 2 * SHIFT);
    this.#render();
    this.#list.children[at - this.#start]?.scrollIntoView({ block: "center" });
    this.#what.changed();
  }

  unmark() {
    this.#marked = null;
    for (const row of this.#list.querySelectorAll(".current")) {
      row.classList.remove("current");
    }
  }

  end() {
    clearTimeout(this.#timer);
  }

  #trim() {
    if (this.#all.length <= KEPT_ROWS && this.#bytes <= KEPT_BYTES) {
      return;
    }
    let gone = 0;
    while (this.#all.length - gone > KEPT_ROWS / 2 && (this.#all.length - gone > KEPT_ROWS || this.#bytes > KEPT_BYTES || gone < 500)) {
      const item = /** @type {Item} */ (this.#all[gone]);
      this.#bytes -= this.#what.size(item);
      gone += 1;
    }
    const removed = new Set(this.#all.slice(0, gone));
    this.#all = this.#all.slice(gone);
    const kept = this.#shown.findIndex((item) => !removed.has(item));
    const shift = kept < 0 ? this.#shown.length : kept;
    // Those that nobody saw are told as skipped.
    this.#skipped += Math.max(0, shift - this.#end);
    this.#shown = this.#shown.slice(shift);
    this.#start = Math.max(0, this.#start - shift);
    this.#end = Math.max(0, this.#end - shift);
    this.#isAtBegin = this.#hasRestarted;
  }

  #flush() {
    this.#timer = undefined;
    if (!this.#isPaused && this.#isFollowing) {
      const fresh = this.#shown.length - this.#end;
      // What was never in the document because more came than it holds.
      this.#skipped += Math.max(0, fresh - ELEMENTS);
      if (fresh >= ELEMENTS || this.#list.childElementCount === 0 || this.#end === 0) {
        this.#toEnd();
      } else if (fresh > 0) {
        this.#append(this.#shown.slice(this.#end));
        this.#end = this.#shown.length;
        while (this.#list.childElementCount > ELEMENTS) {
          this.#list.firstElementChild?.remove();
          this.#start += 1;
        }
        this.#bottom();
      }
    }
    this.#what.changed();
  }

  #toEnd() {
    this.#end = this.#shown.length;
    this.#start = Math.max(0, this.#end - 2 * SHIFT);
    this.#render();
    this.#bottom();
  }

  #bottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #render() {
    fill(this.#list);
    this.scroller.querySelector(".empty")?.remove();
    if (this.#shown.length === 0) {
      this.scroller.append(this.#what.empty());
      return;
    }
    this.#append(this.#shown.slice(this.#start, this.#end));
  }

  /** @param {Item[]} items */
  #append(items) {
    if (items.length > 0) {
      this.scroller.querySelector(".empty")?.remove();
    }
    this.#list.append(...items.map((item) => this.#element(item)));
  }

  /** @param {Item} item */
  #element(item) {
    const element = this.#what.render(item);
    if (item === this.#marked) {
      element.classList.add("current");
    }
    return element;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 8;
    if (isAtEnd && this.newer === 0 && !this.#isPaused) {
      if (!this.#isFollowing) {
        this.#isFollowing = true;
        this.#what.changed();
      }
    } else if (this.#isFollowing && !isAtEnd) {
      this.#isFollowing = false;
      this.#what.changed();
    }
    if (scrollTop < NEAR && !this.#isFollowing) {
      if (this.#start > 0) {
        this.#earlier();
      } else {
        void this.#loadOlder(2 * SHIFT);
      }
    } else if (isAtEnd && this.newer > 0) {
      this.#later();
    }
  }

  #earlier() {
    const from = Math.max(0, this.#start - SHIFT);
    const added = this.#shown.slice(from, this.#start).map((item) => this.#element(item));
    const before = this.scroller.scrollHeight;
    this.#list.prepend(...added);
    this.#start = from;
    this.scroller.scrollTop += this.scroller.scrollHeight - before;
    while (this.#list.childElementCount > ELEMENTS) {
      this.#list.lastElementChild?.remove();
      this.#end -= 1;
    }
    this.#what.changed();
  }

  #later() {
    const to = Math.min(this.#shown.length, this.#end + SHIFT);
    this.#append(this.#shown.slice(this.#end, to));
    this.#end = to;
    while (this.#list.childElementCount > ELEMENTS) {
      const first = /** @type {HTMLElement} */ (this.#list.firstElementChild);
      const height = first.offsetHeight;
      first.remove();
      this.scroller.scrollTop -= height;
      this.#start += 1;
    }
    this.#what.changed();
  }

  /** @param {number} limit */
  async #loadOlder(limit) {
    if (this.#isLoading || this.#isAtBegin) {
      return;
    }
    this.#isLoading = true;
    try {
      const first = this.#all[0];
      const before = first === undefined ? Number.MAX_SAFE_INTEGER : this.#what.seq(first);
      // The first of all has number 0: nothing is before it.
      const found = before > 0 ? await this.#what.older(before, limit) : [];
      const items = found.filter((item) => this.#what.seq(item) < before);
      if (items.length === 0) {
        this.#isAtBegin = true;
        return;
      }
      const shown = items.filter((item) => this.#accepts(item));
      this.#all.unshift(...items);
      this.#bytes += items.reduce((sum, item) => sum + this.#what.size(item), 0);
      this.#shown.unshift(...shown);
      this.#start += shown.length;
      this.#end += shown.length;
      if (this.#list.childElementCount === 0) {
        this.#toEnd();
      } else if (!this.#isFollowing && this.scroller.scrollTop < NEAR) {
        this.#earlier();
      }
    } finally {
      this.#isLoading = false;
      this.#what.changed();
    }
  }
}
