// Values that pages watch, and what outlives a page of the tab.

/**
 * @template T
 * @typedef {{get(): T, set(value: T): void, watch(act: (value: T) => void): () => void}} Cell
 */

/**
 * A value that tells its watchers. `watch` also tells the value of now.
 * @template T
 * @param {T} value
 * @returns {Cell<T>}
 */
export function cell(value) {
  /** @type {Set<(value: T) => void>} */
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const act of [...watchers]) {
        act(next);
      }
    },
    watch(act) {
      watchers.add(act);
      act(value);
      return () => watchers.delete(act);
    },
  };
}

/**
 * Storage may be forbidden or full: then nothing is kept.
 * @param {Storage | null} storage
 */
function keeper(storage) {
  return {
    /** @param {string} key @returns {any} */
    get(key) {
      let text = null;
      try {
        text = storage?.getItem(`dtu.${key}`) ?? null;
        return text === null ? null : JSON.parse(text);
      } catch {
        return text;
      }
    },
    /** @param {string} key @param {unknown} value */
    set(key, value) {
      try {
        if (value === null) {
          storage?.removeItem(`dtu.${key}`);
        } else {
          storage?.setItem(`dtu.${key}`, typeof value === "string" ? value : JSON.stringify(value));
        }
      } catch {
        // The choice holds for this page only.
      }
    },
  };
}

/** @param {() => Storage} of */
function allowed(of) {
  try {
    return of();
  } catch {
    return null;
  }
}

/** For this tab; survives a reload. */
export const forTab = keeper(allowed(() => sessionStorage));
/** For this browser. */
export const forBrowser = keeper(allowed(() => localStorage));
