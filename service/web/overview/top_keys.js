// A list of keys, most first. Each row has a bar, a number and a share; it can be a filter, and its key can be left out.

import { element, find, hide, write } from "../core/dom.js";
import { count, share } from "../core/format.js";
import { isFilterable } from "../core/row_filters.js";

const TITLE_LENGTH = 300;
const NO_KEY = "(none)";
const drawn = new Map();

// id: of the panel. rows: [{key, name, value, rest}], name: what to show for the key unless that itself; largest first; rest: the sum of the keys that have no row. total: of all rows, for the
// shares; 0 when it is not known. noted: a note below them. actions: {isChosen(key), choose(key), exclude(key)}, or null.
export function show(id, rows, total, noted, actions) {
  const panel = find(id);
  const list = panel.querySelector(".bar-list");
  const most = Math.max(...rows.map((row) => row.value), 1);
  const now = JSON.stringify([rows, total, rows.map(({ key }) => Boolean(actions?.isChosen(key))), Boolean(actions)]);
  if (drawn.get(id) !== now) fill(list, rows, total, most, actions);
  drawn.set(id, now);
  const note = panel.querySelector(".note");
  write(note, noted);
  hide(note, !noted);
}

// The panel shows nothing now, so the same rows must be drawn again.
export const forget = (id) => drawn.delete(id);

// The focused row keeps the focus, wherever it moves.
function fill(list, rows, total, most, actions) {
  const focused = list.contains(document.activeElement) ? keyOf(document.activeElement.closest("li")) : null;
  list.replaceChildren(...(rows.length ? rows.map((row) => rowOf(row, total, most, actions)) : [nothing()]));
  if (focused === null) return;
  const buttons = [...list.querySelectorAll("button.bar")];
  (buttons.find((button) => keyOf(button) === focused) ?? buttons[0])?.focus();
}

const keyOf = (node) => node?.querySelector(".bar-key")?.textContent ?? null;

const nothing = () => element("li", [["class", "nothing"]], "None in this range.");

function rowOf({ key, name: shown, value, rest }, total, most, actions) {
  const bar = element("span", [["class", "bar-fill"]]);
  bar.style.width = `${(100 * value) / most}%`;
  const name = shown ?? key ?? NO_KEY;
  const inside = [
    bar,
    element("span", [["class", "bar-key"], ["title", name.slice(0, TITLE_LENGTH)]], name),
    element("span", [["class", "bar-number"]], count(value)),
    ...(total ? [element("span", [["class", "bar-share"]], share(value / total))] : []),
  ];
  if (rest || !isFilterable(key) || !actions) return element("li", [], element("div", [["class", "bar"]], ...inside));
  const button = element("button", [["type", "button"], ["class", "bar"], ["aria-pressed", String(actions.isChosen(key))]], ...inside);
  button.addEventListener("click", () => actions.choose(key));
  const away = element("button", [["type", "button"], ["class", "exclude"], ["title", "Leave this out"],
    ["aria-label", `Leave out ${name.slice(0, TITLE_LENGTH)}`]], element("span", [["aria-hidden", "true"]], "−"));
  away.addEventListener("click", () => actions.exclude(key));
  return element("li", [], button, away);
}
