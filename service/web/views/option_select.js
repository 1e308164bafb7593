// A labelled choice of one option of a view.

import { element } from "../core/dom.js";

const option = ([value, text]) => element("option", [["value", value]], text);

// choose(name)(value): make it so. Returns {node, show(options), add(label, rows)}.
export function choice(label, name, rows, choose) {
  const select = element("select", [["name", name]], ...rows.map(option));
  const node = element("label", [["class", "choice"]], `${label} `, select);
  let added = null;
  select.addEventListener("change", () => choose(name)(select.value));
  return {
    node,
    show(options) {
      // Keep the value of the address, even if it is not among the known ones.
      if (![...select.querySelectorAll("option")].some(({ value }) => value === options[name])) select.append(option([options[name], options[name]]));
      select.value = options[name];
    },
    add(group, more) {
      added?.remove();
      added = more.length ? element("optgroup", [["label", group]], ...more.map(option)) : null;
      if (added) {
        for (const own of select.querySelectorAll(":scope > option")) if (more.some(([value]) => value === own.value)) own.remove();
        select.append(added);
      }
    },
  };
}
