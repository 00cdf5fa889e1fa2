// Runs before the first paint: theme and language stand before anything shows.
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
  root.lang = language.startsWith("zh") ? "zh-CN" : "en";
})();
