// What the panels of the settings share: panels, tables, forms, and buttons that take something away.

import { copyButton } from "../core/copy_button.js";
import { send } from "../core/api.js";
import { element, write } from "../core/dom.js";
import { Question } from "../core/request.js";

let panels = 0;

export function panel(title, ...contents) {
  const id = `settings-${++panels}`;
  return element("section", [["class", "panel"], ["aria-labelledby", id]], element("h2", [["id", id]], title), ...contents);
}

export const quiet = (text) => element("p", [["class", "quiet"]], text);

// A text with a button that copies it.
export function copied(text) {
  const lines = element("pre", [["tabindex", "0"]], text);
  return element("div", [["class", "copied"]], lines, copyButton(lines));
}

// rows: lists of texts or nodes, one for each head; the first names the row. none: the text without rows.
export function table(name, heads, rows, none) {
  if (!rows.length) return quiet(none);
  const cell = (content, place) => element(place ? "td" : "th", place ? [] : [["scope", "row"]], content);
  return element("div", [["class", "scroll"], ["tabindex", "0"], ["role", "region"], ["aria-label", name]],
    element("table", [["class", heads.at(-1) ? "listed" : "listed changing"]],
      element("thead", [], element("tr", [], ...heads.map((head) => element("th", [["scope", "col"]], head || element("span", [["class", "unseen"]], "Change"))))),
      element("tbody", [], ...rows.map((row) => element("tr", [], ...row.map(cell))))));
}

// A button that asks once more before it sends a DELETE. what: names the thing, for readers of the screen.
export function removal(word, what, path, page, changed) {
  const button = element("button", [["type", "button"], ["class", "plain remove"], ["aria-label", `${word}: ${what}`]], word);
  let isSure = false;
  const calm = () => {
    isSure = false;
    write(button, word);
    button.ariaLabel = `${word}: ${what}`;
  };
  button.addEventListener("blur", calm);
  button.addEventListener("click", async () => {
    if (!isSure) {
      isSure = true;
      write(button, `Really ${word.toLowerCase()}?`);
      button.ariaLabel = `Really ${word.toLowerCase()}: ${what}?`;
      return;
    }
    try {
      await send("DELETE", path, undefined, new AbortController().signal);
      changed();
    } catch (error) {
      if (error.status === 401) return page.needSignIn();
      write(button, `Failed: ${error.message}`);
    }
  });
  return button;
}

// A form that sends what `body` gives. shown(answer): nodes that show the answer.
export function creation(button, fields, { path, method = "POST", body, shown, page, changed }) {
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const result = element("div", [["class", "created"], ["role", "status"]]);
  const form = element("form", [["class", "new"]], ...fields, element("button", [["class", "primary"]], button));
  const asking = new Question(form, said, page, { failed: "Could not do this", missing: "There is no such thing any more." });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asking.ask((signal) => send(method, path(), body(), signal), (answer) => {
      result.replaceChildren(...shown(answer));
      form.reset();
      changed();
    });
  });
  return element("div", [], form, said, result);
}

export function field(label, name, ...attributes) {
  const input = element("input", [["name", name], ["autocomplete", "off"], ...attributes]);
  return { input, node: element("label", [], element("span", [], label), input) };
}

// The end of a day, in the reader's time zone, as the service takes it.
export const endOfDay = (date) => new Date(`${date}T23:59:59`).toISOString();
