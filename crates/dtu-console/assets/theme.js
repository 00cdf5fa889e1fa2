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
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let theme = stored("dtu.theme");
  const show = () => {
    root.dataset["theme"] = theme === "light" || theme === "dark" ? theme : dark.matches ? "dark" : "light";
  };
  show();
  dark.addEventListener("change", show);
  // Somebody chooses.
  addEventListener("dtu-theme", (event) => {
    theme = /** @type {CustomEvent<string>} */ (event).detail;
    show();
  });
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
