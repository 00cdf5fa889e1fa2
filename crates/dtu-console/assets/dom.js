// Elements without markup: every text goes in by textContent.
import { pieces } from "./visible.js";

/** @typedef {Node | string | number | null | undefined | false} Child */
/**
 * @typedef {{
 *   class?: string,
 *   on?: Record<string, (event: any) => void>,
 *   [attribute: string]: unknown,
 * }} Attributes
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  assign(element, attributes);
  put(element, children);
  return element;
}

/**
 * An element of an SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  assign(element, attributes);
  put(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
function assign(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(attributes.on ?? {})) {
        element.addEventListener(event, listener);
      }
    } else if (name === "value" && "value" in element) {
      element.value = String(value ?? "");
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
export function put(element, children) {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
}

/**
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  put(element, children);
}

/** Sets the text only where it differs, so that nothing is laid out anew. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/**
 * A text from elsewhere, set apart from the direction of what stands around it.
 * @param {string} text
 * @param {string} [className]
 */
export function foreign(text, className = "") {
  const parts = pieces(text).map(([piece, isMark]) => (isMark ? h("span", { class: "mark" }, piece) : piece));
  return h("bdi", { class: `foreign ${className}`.trim() }, ...parts);
}

/**
 * One of the page's own drawings, which says nothing to a screen reader.
 * @param {string} path
 */
export function icon(path) {
  return svg(
    "svg",
    { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: path }),
  );
}

/**
 * A button. `quiet`, `primary` or `danger`.
 * @param {string} text
 * @param {(event: MouseEvent) => void} click
 * @param {Attributes} [more]
 */
export function button(text, click, more = {}) {
  const { class: className = "", ...rest } = more;
  return h("button", { type: "button", class: `button ${className}`.trim(), on: { click }, ...rest }, text);
}

let ids = 0;
/** A new id for labels and descriptions. @param {string} [name] */
export function newId(name = "i") {
  ids += 1;
  return `${name}-${ids}`;
}

/**
 * Whether the key belongs to a Chinese or other input method that composes a word.
 * @param {KeyboardEvent} event
 */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
