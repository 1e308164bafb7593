// The latest events. The rows stay in place and get new texts, so that nothing moves. While a pointer or the focus is on
// them they keep their texts, so that a click meets the row that it aims at.

import { element, find, write } from "../core/dom.js";
import { write as exactJson } from "../core/exact_json.js";
import { NOTHING, momentText } from "../core/format.js";

export const ROWS = 15;
const SHOWN = 200;
const TITLE_LENGTH = 1_000;
const NEW_MS = 2_000;
const COLUMNS = ["timestamp", "event_type", "tool_name", "action", "session_id", "user_id", "properties"];
let known = null;
let knownFor = null;
// The newest answer, while the rows are held.
let waiting = null;

// The timeline that a cell opens.
const OPENS = new Map([["session_id", "session"], ["user_id", "user"]]);

// open(of, id): show that timeline.
export function start(open) {
  find("events").tBodies[0].replaceChildren(...Array.from({ length: ROWS }, () =>
    element("tr", [], ...COLUMNS.map(() => element("td", [], "\u00a0")))));
  find("events").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-of]");
    if (button) open(button.dataset.of, button.dataset.id);
  });
  for (const left of ["pointerleave", "focusout"]) find("events").addEventListener(left, () => setTimeout(release));
}

const isHeld = () => find("events").matches(":hover") || find("events").contains(document.activeElement);

function release() {
  if (waiting && !isHeld()) show(...waiting);
}

// scope: the question. An event is new when the last answer to the same question did not have it.
export function show(events, scope) {
  const isFresh = known && events[0] && !known.has(events[0].event_id);
  waiting = scope === knownFor && isHeld() ? [events, scope] : null;
  const held = find("events-held");
  write(held, waiting && isFresh ? "Newer events wait until you leave the rows." : "");
  if (waiting) return;
  const rows = find("events").tBodies[0].rows;
  const before = scope === knownFor ? known : null;
  known = new Set(events.map((event) => event.event_id));
  knownFor = scope;
  for (const [place, row] of [...rows].entries()) fill(row, events[place], before);
  if (!events.length) rows[0].cells[0].textContent = "None yet.";
}

function fill(row, event, before) {
  row.classList.toggle("blank", !event);
  for (const [place, column] of COLUMNS.entries()) {
    const text = event ? textOf(event, column) : "\u00a0";
    const cell = row.cells[place];
    const seen = text.slice(0, SHOWN);
    const opens = event?.[column] ? OPENS.get(column) : undefined;
    if (opens) buttonIn(cell, opens, event[column]).textContent = seen;
    else if (cell.textContent !== seen || cell.firstElementChild) cell.textContent = seen;
    cell.title = event && text !== NOTHING ? text.slice(0, TITLE_LENGTH) : "";
  }
  if (!event || !before || before.has(event.event_id)) return;
  row.classList.add("new");
  setTimeout(() => row.classList.remove("new"), NEW_MS);
}

// The button stays and gets a new text, so that it keeps the focus.
function buttonIn(cell, of, id) {
  let button = cell.querySelector("button");
  if (!button) {
    button = element("button", [["type", "button"], ["class", "opens"]]);
    cell.replaceChildren(button);
  }
  button.dataset.of = of;
  button.dataset.id = id;
  button.setAttribute("aria-haspopup", "dialog");
  return button;
}

function textOf(event, column) {
  const value = event[column];
  if (value === null || value === "") return NOTHING;
  if (column === "timestamp") return momentText(value);
  return column === "properties" ? exactJson(value) : value;
}
