// Runs before the first paint: theme and language stand before anything shows, and its words are asked for.
(() => {
  /** @param {string} key */
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const root = document.documentElement;
  const theme = stored("dtu.theme");
  if (theme === "light" || theme === "dark") {
    root.dataset["theme"] = theme;
  }
  const chosen = stored("dtu.language");
  const fitting = navigator.languages.find((language) => /^(zh|en)\b/i.test(language)) ?? "en";
  const language = chosen === "zh" || chosen === "en" ? chosen : fitting.toLowerCase();
  const isChinese = language.startsWith("zh");
  root.lang = isChinese ? "zh-CN" : "en";
  const own = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  for (const name of isChinese ? ["sentences-zh.js", "words-zh.js"] : ["words-en.js"]) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = new URL(name, own).href;
    document.head.append(link);
  }
})();
