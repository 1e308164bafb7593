// The range, the comparison, and the form for a custom range.

import { find, hide, write } from "./dom.js";
import { MOST_HOURS } from "./definitions.js";
import { CALENDARS } from "./calendar_ranges.js";
import { CHOSEN, HOUR, QUARTER, rangeShown } from "./state.js";
import { zone } from "./format.js";

const FIELDS = ["custom-from", "custom-to"];
// The times in the fields: where clocks go back, a local time alone does not tell which hour is meant.
let filled = [];

const buttons = () => [...document.querySelectorAll("[data-range]")];

// change(parts): parts of the state and their new values.
export function start(change, current) {
  write(find("zone"), `Times in ${zone}`);
  for (const button of buttons()) button.addEventListener("click", () => press(button.dataset.range, change, current));
  find("calendar").addEventListener("change", (event) => {
    if (event.target.value) change({ range: event.target.value, since: null, until: null });
  });
  find("compare").addEventListener("change", ({ target }) => change(comparison(target.value, current())));
  find("against").addEventListener("change", ({ target }) => {
    const time = new Date(target.value).getTime();
    if (!Number.isNaN(time)) change({ compare: CHOSEN, against: Math.floor(time / QUARTER) * QUARTER });
  });
  find("custom").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(change);
  });
}

// A range of one's own begins with the one before, until the reader says another.
function comparison(compare, state) {
  if (compare !== CHOSEN) return { compare, against: null };
  const [since, until] = rangeShown(state);
  return { compare, against: since - (until - since) };
}

function press(range, change, current) {
  if (range !== "custom") return change({ range, since: null, until: null });
  fill(rangeShown(current()));
  hide(find("custom"), false);
  find("custom-from").focus();
}

function fill(times) {
  filled = times;
  for (const [place, id] of FIELDS.entries()) find(id).value = fieldText(times[place]);
}

function submit(change) {
  const [since, until] = FIELDS.map((id, place) =>
    (find(id).value === fieldText(filled[place]) ? filled[place] : new Date(find(id).value).getTime()));
  const fault = !(until - since >= QUARTER) ? "The end must be at least a quarter of an hour after the start."
    : until - since > MOST_HOURS * HOUR ? "Choose a range of at most a year." : "";
  write(find("custom-said"), fault);
  hide(find("custom-said"), !fault);
  if (!fault) change({ range: "custom", since, until });
}

// Local time in the format of a datetime-local field.
function fieldText(time) {
  const date = new Date(time);
  const two = (value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function show(state) {
  for (const button of buttons()) button.setAttribute("aria-pressed", String(button.dataset.range === state.range));
  find("calendar").value = CALENDARS.has(state.range) ? state.range : "";
  find("compare").value = state.compare;
  if (state.compare === CHOSEN) find("against").value = fieldText(state.against);
  hide(find("custom"), state.range !== "custom");
  hide(find("custom-said"), true);
  if (state.range !== "custom") return;
  fill(rangeShown(state));
}
