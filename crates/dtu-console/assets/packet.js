// A field for bytes: hex or text, by a tick that converts in place and loses nothing.
import { parseEscapes, parseHex, showEscapes, toHex } from "./bytes.js";
import { h, isComposing, newId, setText } from "./dom.js";
import { t } from "./i18n.js";
import { forBrowser } from "./store.js";

/** @typedef {import("./bytes.js").Charset} Charset */

export class Packet extends HTMLElement {
  /** @type {(hex: string) => void} */
  onbytes = () => {};
  #input = h("input", { type: "text", class: "mono", spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  #tick = h("input", { type: "checkbox" });
  #charset = h(
    "select",
    { "aria-label": t("bytes.coding") },
    h("option", { value: "utf-8" }, "UTF-8"),
    h("option", { value: "gbk" }, "GBK"),
  );
  #count = h("span", { class: "hint count" });
  #fault = h("p", { class: "fault", id: newId("fault") });
  #room = 40;
  /** What was told last, which is no news when it comes back. @type {string | null} */
  #said = null;
  #isBuilt = false;

  connectedCallback() {
    if (this.#isBuilt) {
      return;
    }
    this.#isBuilt = true;
    this.#charset.value = forBrowser.get("charset") === "gbk" ? "gbk" : "utf-8";
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && isComposing(event)) {
        event.preventDefault();
      }
    });
    this.#tick.addEventListener("change", () => this.#convert(!this.#tick.checked, this.#coding));
    let coding = this.#coding;
    this.#charset.addEventListener("change", () => {
      this.#convert(this.#isHex, coding);
      coding = this.#coding;
      forBrowser.set("charset", coding);
    });
    this.append(
      h(
        "div",
        { class: "packet" },
        this.#input,
        h("label", { class: "tick" }, this.#tick, h("span", {}, "HEX")),
        this.#charset,
        this.#count,
      ),
      this.#fault,
    );
  }

  /** It says itself what is wrong. */
  get isFaulty() {
    return !this.#fault.hidden;
  }

  get input() {
    return this.#input;
  }

  get #coding() {
    return /** @type {Charset} */ (this.#charset.value);
  }

  get #isHex() {
    return this.#tick.checked;
  }

  /** @param {number} bytes */
  set room(bytes) {
    this.#room = bytes;
  }

  /** @param {boolean} isLocked */
  set locked(isLocked) {
    this.#input.readOnly = isLocked;
  }

  /** What the device has; not taken while somebody types. @param {string} hex */
  show(hex) {
    if (hex === this.#said) {
      return;
    }
    this.#said = null;
    const now = this.#parse(this.#isHex, this.#coding);
    const wanted = parseHex(hex);
    if (wanted.bytes === null) {
      // Not hex: the device or a file said something else, which stands as it is.
      this.#tick.checked = true;
      this.#input.value = hex;
    } else if (now.bytes === null || toHex(now.bytes) !== toHex(wanted.bytes)) {
      this.#render(wanted.bytes);
    }
    this.#tell();
  }

  /** @param {boolean} isHex @param {Charset} charset */
  #parse(isHex, charset) {
    return isHex ? parseHex(this.#input.value) : parseEscapes(this.#input.value, charset);
  }

  /** @param {Uint8Array} bytes */
  #render(bytes) {
    this.#input.value = this.#isHex ? toHex(bytes, " ") : showEscapes(bytes, this.#coding);
  }

  /**
   * From the former view to the one that the tick and the coding say now. What cannot be read stays as it is, and the
   * tick goes back.
   * @param {boolean} wasHex
   * @param {Charset} charset
   */
  #convert(wasHex, charset) {
    const read = this.#parse(wasHex, charset);
    if (read.bytes === null) {
      this.#tick.checked = wasHex;
      this.#charset.value = charset;
      this.#tell();
      return;
    }
    this.#render(read.bytes);
    this.#tell();
  }

  #typed() {
    const read = this.#parse(this.#isHex, this.#coding);
    this.#tell();
    // What is no hex yet is a value too, so that it can be kept and checked.
    this.#said = read.bytes === null ? this.#input.value : toHex(read.bytes);
    this.onbytes(this.#said);
  }

  #tell() {
    const read = this.#parse(this.#isHex, this.#coding);
    this.#charset.hidden = this.#isHex;
    const length = read.bytes?.length ?? 0;
    setText(this.#count, read.bytes === null ? "" : t("bytes.count", { n: length, room: this.#room }));
    const isLong = length > this.#room;
    const text =
      read.fault === null
        ? isLong
          ? t("bytes.long", { n: length, room: this.#room })
          : ""
        : t(read.fault.id, { at: read.fault.at + 1, what: read.fault.what });
    setText(this.#fault, text);
    this.#fault.hidden = text === "";
    this.#input.setAttribute("aria-invalid", String(text !== ""));
    const others = (this.#input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id !== this.#fault.id);
    this.#input.setAttribute("aria-describedby", [...others, this.#fault.id].join(" ").trim());
  }
}

customElements.define("dtu-packet", Packet);

export function packet() {
  return /** @type {Packet} */ (document.createElement("dtu-packet"));
}
