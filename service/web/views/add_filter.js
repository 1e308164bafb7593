// A filter to add: on a field, or a condition.

import { parse, textOf, write } from "../core/conditions.js";
import { element } from "../core/dom.js";
import { conditionForm } from "./condition_form.js";

const ANY = ["=", "!=", "contains", "exists", "missing"];
const FIELDS = ["event_type", "tool_name", "action", "session_id", "user_id", "risk_mode"].map((name) => [name, ANY]);

export function open(place, page, close) {
  const { form, focus } = conditionForm(page.state(), {
    fields: FIELDS,
    label: "Add",
    cancel: close,
    done: (condition) => {
      close();
      page.change({ filters: withCondition(page.state().filters, condition) });
    },
  });
  place.append(element("h2", [["class", "unseen"]], "Add filter"), form);
  focus();
  return { refresh: () => {}, leave: () => {} };
}

// One that a field is equal to a value is a filter by its name; others are conditions.
function withCondition(filters, condition) {
  const { field, operator, values } = condition;
  if (operator === "=" && !field.startsWith("properties.") && !filters.has(field)) {
    return new Map(filters).set(field, textOf(values[0]));
  }
  const before = filters.get("where") ?? "";
  const conditions = parse(before);
  const text = conditions ? write([...conditions, condition]) : `${before} and ${write([condition])}`;
  return new Map(filters).set("where", text);
}
