// A filter to add: a field with one value, or a condition.

import { element } from "../core/dom.js";
import { conditionForm } from "./condition_form.js";

export function open(place, page, close) {
  const { form, focus } = conditionForm(page.state(), {
    cancel: close,
    done: (given) => {
      close();
      page.change(withCondition(page.state(), given));
    },
  });
  place.append(element("h2", [["class", "unseen"]], "Add filter"), form);
  focus();
  return { refresh: () => {}, leave: () => {} };
}

// A field with one value is a filter by its name, which rollups can answer; anything else is a condition.
function withCondition({ filters, conditions }, { field, operator, value, text }) {
  const isPlain = operator === "=" && !field.startsWith("properties.") && !filters.has(field);
  return isPlain ? { filters: new Map(filters).set(field, value) } : { conditions: [...conditions, text] };
}
