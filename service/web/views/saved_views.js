// Saved views: what the page shows, under a name, for everybody who reads the site.

import { get, send } from "../core/api.js";
import { element } from "../core/dom.js";
import { LONGEST_VIEW_NAME } from "../core/definitions.js";
import { Question } from "../core/request.js";
import { address, read as readState } from "../core/state.js";

const MISSING = "This server cannot save views. Update it.";

export function open(place, page, close) {
  const list = element("ul", [["class", "saved"], ["aria-label", "Saved views"]]);
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const name = element("input", [["id", "view-name"], ["maxlength", String(LONGEST_VIEW_NAME)], ["required", ""],
    ["pattern", "(?!\\.{1,2}$)[^\\/]+"], ["title", "A name without slashes, and not . or .."], ["autocomplete", "off"], ["placeholder", "name"]]);
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const form = element("form", [["class", "condition"]], element("label", [["for", "view-name"]], "Save what is shown as"), name,
    element("button", [["class", "primary"]], "Save"), leave);
  const reading = new Question(list, said, page, { missing: MISSING });
  const writing = new Question(form, said, page, { missing: MISSING, failed: "Could not change the views" });

  const read = () => reading.ask((signal) => get("views", [], signal), ({ views }) => {
    const rows = views.map((view) => row(view, page, close, remove));
    list.replaceChildren(...(rows.length ? rows : [element("li", [["class", "quiet"]], "None saved yet.")]));
  });
  const remove = (view) => writing.ask((signal) => send("DELETE", path(view.name), undefined, signal), () => {
    name.focus();
    read();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = { search: searchOf(page.state()) };
    writing.ask((signal) => send("PUT", path(name.value), body, signal), () => {
      name.value = "";
      read();
    });
  });
  leave.addEventListener("click", close);
  place.append(element("h2", [["class", "unseen"]], "Views"), list, form, said);
  read();
  name.focus();
  return { refresh: () => {}, leave: () => { reading.stop(); writing.stop(); } };
}

const path = (name) => `views/${encodeURIComponent(name)}`;

// Without the site: a view is of one.
const searchOf = (state) => new URL(address({ ...state, site: "", timeline: null }), location.href).search || "?";

function row(view, page, close, remove) {
  const choose = element("button", [["type", "button"], ["title", view.search]], element("bdi", [], view.name));
  choose.addEventListener("click", () => {
    close();
    const given = new URLSearchParams(view.search);
    if (page.state().site) given.set("site", page.state().site);
    page.change(readState(`?${given}`));
  });
  const away = element("button", [["type", "button"], ["class", "away"], ["aria-label", `Delete the view ${view.name}`]], "×");
  away.addEventListener("click", () => remove(view));
  return element("li", [], choose, away);
}
