// The most frequent keys of a dimension; each row can be a filter.

import { element, find, hide, write } from "../core/dom.js";
import { count } from "../core/format.js";

const TITLE_LENGTH = 300;
// The key of refused names, which is no name to filter by.
const OTHER = "(other)";
const drawn = new Map();

// rows: [{key, events, rest}], largest first; rest: the sum of keys that have no row. noted: a note below them. choose(key) sets the filter, choose(null) removes it; without `choose` rows are no filters.
export function show(id, rows, noted, chosen, choose) {
  const panel = find(id);
  const list = panel.querySelector(".bar-list");
  const most = Math.max(...rows.map((row) => row.events), 1);
  const now = JSON.stringify([rows, chosen]);
  if (drawn.get(id) !== now) fill(list, rows, most, chosen, choose);
  drawn.set(id, now);
  const note = panel.querySelector(".note");
  write(note, noted);
  hide(note, !noted);
}

// The focused row keeps the focus, wherever it moves.
function fill(list, rows, most, chosen, choose) {
  const focused = list.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  list.replaceChildren(...(rows.length ? rows.map((row) => rowOf(row, most, chosen, choose)) : [nothing()]));
  if (focused === null) return;
  const buttons = [...list.querySelectorAll("button")];
  (buttons.find((button) => keyOf(button) === focused) ?? buttons[0])?.focus();
}

const keyOf = (button) => button.querySelector(".bar-key").textContent;

const nothing = () => element("li", [["class", "nothing"]], "None in this range.");

function rowOf({ key, events, rest }, most, chosen, choose) {
  const fill = element("span", [["class", "bar-fill"]]);
  fill.style.width = `${(100 * events) / most}%`;
  const inside = [
    fill,
    element("span", [["class", "bar-key"], ["title", key.slice(0, TITLE_LENGTH)]], key),
    element("span", [["class", "bar-number"]], count(events)),
  ];
  if (rest || key === OTHER || !choose) return element("li", [], element("div", [["class", "bar"]], ...inside));
  const button = element("button", [["type", "button"], ["class", "bar"], ["aria-pressed", String(key === chosen)]], ...inside);
  button.addEventListener("click", () => choose(key === chosen ? null : key));
  return element("li", [], button);
}
