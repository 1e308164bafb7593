// The filters and conditions as chips. A click removes one.

import { element, find } from "./dom.js";

export const NAMES = new Map([
  ["event_type", "Type"], ["tool_name", "Tool"], ["action", "Action"], ["risk_mode", "Risk mode"],
  ["session_id", "Session"], ["user_id", "User"], ["segment", "Segment"],
]);
const TITLE_LENGTH = 300;

// change(parts): parts of the state and their new values.
export function show({ filters, conditions }, change) {
  find("demo-mode").value = filters.get("demo_mode") ?? "";
  const plain = [...filters].filter(([name]) => NAMES.has(name)).map(([name, value]) =>
    chip(value, () => change({ filters: without(filters, name) }), NAMES.get(name)));
  const written = conditions.map((text, place) => chip(text, () => change({ conditions: conditions.toSpliced(place, 1) })));
  find("chips").replaceChildren(...plain, ...written);
}

export function chip(text, remove, label = "") {
  const button = element("button", [["type", "button"], ["class", "chip"], ["title", `Remove: ${text.slice(0, TITLE_LENGTH)}`]],
    ...(label ? [element("span", [], `${label} `)] : []), element("bdi", [], text), element("span", [["class", "unseen"]], " remove this filter"),
    element("span", [["aria-hidden", "true"]], "×"));
  button.addEventListener("click", remove);
  return element("li", [], button);
}

function without(filters, name) {
  const rest = new Map(filters);
  rest.delete(name);
  return rest;
}
