// Saved segments: filters under a name, to choose, to save and to delete.

import { get, send } from "../core/api.js";
import { element, write } from "../core/dom.js";
import { LONGEST_SEGMENT_NAME } from "../core/definitions.js";
import { Question } from "../core/request.js";
import { filtersOf } from "../core/state.js";

const TITLE_LENGTH = 300;

export function open(place, page, close) {
  const list = element("ul", [["class", "saved"], ["aria-label", "Saved segments"]]);
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const name = element("input", [["id", "segment-name"], ["maxlength", String(LONGEST_SEGMENT_NAME)], ["required", ""],
    ["pattern", "(?!\\.{1,2}$)[^\\/]+"], ["title", "A name without slashes, and not . or .."], ["autocomplete", "off"], ["placeholder", "name"]]);
  const label = element("label", [["for", "segment-name"]]);
  const save = element("button", [["class", "primary"]], "Save");
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const form = element("form", [["class", "condition"]], label, name, save, leave);
  const reading = new Question(list, said, page);
  const writing = new Question(form, said, page, { failed: "Could not change the segments" });

  const refresh = () => {
    const filters = saved(page.state());
    name.hidden = save.hidden = filters === null;
    write(label, filters ? "Save these filters as" : "Add filters first; then you can save them here.");
    for (const button of list.querySelectorAll("[aria-pressed]")) {
      button.setAttribute("aria-pressed", String(button.dataset.name === page.state().filters.get("segment")));
    }
  };
  const read = () => reading.ask((signal) => get("segments", [], signal), ({ segments }) => {
    const rows = segments.map((segment) => row(segment, page, remove));
    list.replaceChildren(...(rows.length ? rows : [element("li", [["class", "quiet"]], "None saved yet.")]));
    refresh();
  });
  const remove = (segment) => writing.ask((signal) => send("DELETE", path(segment.name), undefined, signal), () => {
    const { filters } = page.state();
    name.focus();
    if (filters.get("segment") === segment.name) {
      const left = new Map(filters);
      left.delete("segment");
      page.change({ filters: left });
    }
    read();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const filters = saved(page.state());
    writing.ask((signal) => send("PUT", path(name.value), { filters }, signal), ({ segment }) => {
      name.value = "";
      page.change(only(segment.name));
      read();
    });
  });
  leave.addEventListener("click", close);
  place.append(element("h2", [["class", "unseen"]], "Segments"), list, form, said);
  refresh();
  read();
  (name.hidden ? leave : name).focus();
  return { refresh, leave: () => { reading.stop(); writing.stop(); } };
}

const path = (name) => `segments/${encodeURIComponent(name)}`;

// The filters and conditions of the state after the user chose a segment.
const only = (name) => ({ filters: new Map([["segment", name]]), conditions: [] });

// The filters that can be saved, or null: a segment cannot hold another one.
function saved(state) {
  const rows = filtersOf(state);
  return rows.length && !state.filters.has("segment") ? Object.fromEntries(rows) : null;
}

function row(segment, page, remove) {
  const words = Object.entries(segment.filters).map(([name, value]) => (name === "where" ? value : `${name} = ${value}`));
  const choose = element("button", [["type", "button"], ["aria-pressed", "false"],
    ["title", words.join(" and ").slice(0, TITLE_LENGTH)]], element("bdi", [], segment.name));
  choose.dataset.name = segment.name;
  choose.addEventListener("click", () => {
    const { filters } = page.state();
    const isChosen = filters.get("segment") === segment.name;
    page.change(isChosen ? { filters: new Map(), conditions: [] } : only(segment.name));
  });
  const away = element("button", [["type", "button"], ["class", "away"], ["aria-label", `Delete the segment ${segment.name}`]], "×");
  away.addEventListener("click", () => remove(segment));
  return element("li", [], choose, away);
}
