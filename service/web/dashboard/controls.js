// Range, comparison, filters: what they say is the state, and what they do changes it.

import { $, element, zone } from "./dom.js";
import { FILTERS, show, state, toggle } from "./state.js";

const HOUR = 3_600_000;
let choosing = false;

/** Make the controls work; `changed` is called when something else is to be shown. */
export function makeControls(changed) {
  $("zone").textContent = `Times in ${zone}`;
  const after = (change) => { change(); markControls(changed); changed(); };
  $("ranges").addEventListener("click", ({ target }) => {
    const { range } = target.dataset;
    choosing = range === "custom";
    if (choosing) propose();
    else if (range) after(() => show({ range, from: null, to: null }));
    markControls(changed);
  });
  $("compare").addEventListener("change", ({ target }) => after(() => show({ compare: target.value })));
  $("demo").addEventListener("change", ({ target }) => after(() => toggle("demo_mode", target.value || null)));
  $("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = ["from", "to"].map((id) => Math.floor(new Date($(id).value).getTime() / HOUR) * HOUR);
    $("to").setCustomValidity(from < to ? "" : "The end must be after the beginning.");
    if ($("controls").reportValidity()) after(() => { choosing = false; show({ range: "custom", from, to }); });
  });
  $("to").addEventListener("input", () => $("to").setCustomValidity(""));
}

/** Begin with the last day, or with what is shown. */
function propose() {
  const now = Math.ceil(Date.now() / HOUR) * HOUR;
  $("from").value = local(state.from ?? now - 24 * HOUR);
  $("to").value = local(state.to ?? now);
}

function local(time) {
  const moment = new Date(time);
  return new Date(time - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Show the state in the controls. */
export function markControls(changed) {
  if (state.range === "custom" && !choosing) propose();
  const custom = choosing || state.range === "custom";
  $("custom").hidden = !custom;
  for (const button of $("ranges").children) {
    button.setAttribute("aria-pressed", String(custom ? button.dataset.range === "custom" : button.dataset.range === state.range));
  }
  $("compare").value = state.compare;
  $("demo").value = state.filters.get("demo_mode") ?? "";
  $("chips").replaceChildren(...[...state.filters].map(([name, value]) => chip(name, value, changed)));
}

function chip(name, value, changed) {
  const button = element("button", { type: "button", title: "Remove this filter", "aria-label": `Remove the filter ${FILTERS.get(name)}: ${value}` },
    `${FILTERS.get(name)}: `, element("bdi", {}, value), " ×");
  button.addEventListener("click", () => { toggle(name, null); markControls(changed); changed(); });
  return element("li", {}, button);
}
