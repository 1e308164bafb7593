// What events count toward, largest first; a row filters by its value.

import { $, element, number } from "./dom.js";
import { state, toggle } from "./state.js";

const MOST = 8;
const OTHER = "(other)";

export function showBars(id, name, rows, rest, changed) {
  const most = Math.max(...rows.map((row) => row.events), 1);
  const told = rows.slice(0, MOST);
  const more = rows.slice(MOST).reduce((sum, row) => sum + row.events, rest);
  const list = element("ul", {}, ...told.map((row) => element("li", {}, bar(name, row, most, changed))));
  $(id).replaceChildren(rows.length ? list : element("p", { class: "quiet" }, "None in this range."));
  if (more) $(id).append(element("p", { class: "quiet" }, `and ${number(more)} of others`));
}

function bar(name, row, most, changed) {
  const fill = element("span", { class: "fill", "aria-hidden": "true" });
  fill.style.width = `${row.events / most * 100}%`;
  const label = element("bdi", { class: "key" }, row.key);
  const parts = [fill, label, element("span", { class: "count" }, number(row.events))];
  // What is summed up is no value to filter by.
  if (row.key === OTHER) return element("div", { class: "bar" }, ...parts);
  const pressed = String(state.filters.get(name) === row.key);
  const made = element("button", { type: "button", class: "bar", "aria-pressed": pressed, title: row.key }, ...parts);
  made.addEventListener("click", () => { toggle(name, row.key); changed(); });
  return made;
}
