// The log-in.
import { ApiError, post } from "./api.js";
import { h, isComposing, setText } from "./dom.js";
import { t } from "./i18n.js";
import { busy, labelled, reason } from "./parts.js";

/**
 * @param {(session: import("./types.js").Session) => void} done
 * @returns {import("./app.js").Page}
 */
export function loginPage(done) {
  const password = h("input", { type: "password", autocomplete: "current-password", name: "password", required: true });
  const fault = h("p", { class: "fault", role: "alert" });
  const send = h("button", { type: "submit", class: "button primary" }, t("login.do"));
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  /** @param {number} seconds */
  function wait(seconds) {
    const until = performance.now() + seconds * 1000;
    send.disabled = true;
    setText(fault, t("login.guessing", { n: Math.ceil(seconds) }));
    clearInterval(timer);
    timer = setInterval(() => {
      if (performance.now() >= until) {
        clearInterval(timer);
        send.disabled = false;
        setText(fault, "");
      }
    }, 500);
  }

  const form = h(
    "form",
    {
      class: "card login",
      on: {
        submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void busy(send, async () => {
            try {
              const session = await post("login", { password: password.value });
              password.value = "";
              done(session);
            } catch (error) {
              if (!(error instanceof ApiError)) {
                throw error;
              }
              if (error.status === 429) {
                wait(Number(error.body["retry_after"] ?? 10));
              } else {
                const text = error.id === "password" ? t("login.wrong") : reason(error);
                fault.replaceChildren(text);
              }
              password.select();
            }
          });
        },
      },
    },
    h("p", {}, t("login.text")),
    labelled(t("login.password"), password),
    fault,
    h("div", { class: "actions" }, send),
    h("p", { class: "hint" }, t("login.hint")),
  );
  password.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && isComposing(event)) {
      event.preventDefault();
    }
  });
  return {
    title: t("login"),
    element: form,
    focus: password,
    end() {
      clearInterval(timer);
    },
  };
}
