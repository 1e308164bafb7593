// The range, the comparison, and the form for a custom range.

import { find, hide, write } from "./dom.js";
import { MOST_HOURS } from "./definitions.js";
import { HOUR, hoursShown } from "./state.js";
import { zone } from "./format.js";

const buttons = () => [...document.querySelectorAll("[data-range]")];

// change(parts): parts of the state and their new values.
export function start(change, current) {
  write(find("zone"), `Times in ${zone}`);
  for (const button of buttons()) button.addEventListener("click", () => press(button.dataset.range, change, current));
  find("compare").addEventListener("change", (event) => change({ compare: event.target.value }));
  find("custom").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(change);
  });
}

function press(range, change, current) {
  if (range !== "custom") return change({ range, since: null, until: null });
  const [since, until] = hoursShown(current());
  find("custom-from").value = fieldText(since);
  find("custom-to").value = fieldText(until);
  hide(find("custom"), false);
  find("custom-from").focus();
}

function submit(change) {
  const [since, until] = ["custom-from", "custom-to"].map((id) => Math.floor(new Date(find(id).value).getTime() / HOUR) * HOUR);
  const hours = (until - since) / HOUR;
  const fault = !(hours >= 1) ? "The end must be at least an hour after the start."
    : hours > MOST_HOURS ? "Choose a range of at most a year." : "";
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
  find("compare").value = state.compare;
  hide(find("custom"), state.range !== "custom");
  hide(find("custom-said"), true);
  if (state.range !== "custom") return;
  find("custom-from").value = fieldText(state.since);
  find("custom-to").value = fieldText(state.until);
}
