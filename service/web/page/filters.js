// The filters as chips, each taken away by a click.

import { element, find } from "./elements.js";

const NAMES = new Map([["event_type", "Type"], ["tool_name", "Tool"], ["action", "Action"], ["risk_mode", "Risk mode"]]);
const TITLE_LENGTH = 300;

export function show(filters, remove) {
  find("demo-mode").value = filters.get("demo_mode") ?? "";
  const chips = [...filters].filter(([name]) => NAMES.has(name));
  find("chips").replaceChildren(...chips.map(([name, value]) => {
    const button = element("button", [["type", "button"], ["title", `Remove: ${value.slice(0, TITLE_LENGTH)}`]],
      `${NAMES.get(name)} `, element("bdi", [], value), element("span", [["class", "unseen"]], "remove this filter"),
      element("span", [["aria-hidden", "true"]], "×"));
    button.addEventListener("click", () => remove(name));
    return element("li", [], button);
  }));
}
