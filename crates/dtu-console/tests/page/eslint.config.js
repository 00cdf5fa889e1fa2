// Plain rules, no plug-ins. Paths are those of the crate, from where it runs.
const browser = [
  "addEventListener", "AbortSignal", "Blob", "CSS", "CustomEvent", "EventSource", "HTMLElement", "InputEvent", "Node", "TextDecoder",
  "TextEncoder", "URL", "atob", "clearInterval", "clearTimeout", "customElements", "dispatchEvent", "document", "fetch", "localStorage",
  "location", "matchMedia", "navigator", "performance", "scrollTo", "sessionStorage", "setInterval", "setTimeout", "window",
];
const node = ["Buffer", "URL", "console", "process", "setInterval", "clearInterval", "setTimeout", "clearTimeout", "fetch", "TextEncoder"];
/** What tests run inside the page. */
const inPage = ["document", "window", "getComputedStyle", "KeyboardEvent", "CompositionEvent", "InputEvent", "HTMLElement", "localStorage", "sessionStorage", "performance", "innerWidth", "navigator", "requestAnimationFrame", "location"];
const readonly = (names) => Object.fromEntries(names.map((name) => [name, "readonly"]));
const rules = {
  "array-callback-return": "error",
  "constructor-super": "error",
  curly: "error",
  "default-case-last": "error",
  eqeqeq: "error",
  "no-const-assign": "error",
  "no-constant-condition": "error",
  "no-dupe-keys": "error",
  "no-else-return": "error",
  "no-eval": "error",
  "no-fallthrough": "error",
  "no-implicit-coercion": "error",
  "no-implied-eval": "error",
  "no-self-compare": "error",
  "no-shadow-restricted-names": "error",
  "no-undef": "error",
  "no-unreachable": "error",
  "no-unused-vars": ["error", { caughtErrors: "all", ignoreRestSiblings: true }],
  "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
  "require-await": "error",
};

export default [
  { ignores: ["**/node_modules/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["assets/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: readonly(browser) },
    rules: {
      ...rules,
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Texts go in by textContent." },
        { property: "outerHTML", message: "Texts go in by textContent." },
        { property: "insertAdjacentHTML", message: "Texts go in by textContent." },
      ],
    },
  },
  {
    files: ["tests/page/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: readonly([...node, ...inPage]) },
    rules: { ...rules, "require-await": "off" },
  },
];
