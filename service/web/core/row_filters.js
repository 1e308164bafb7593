// What a row of a list does to the filters: keep only its key, or leave its key out.

import { condition, word } from "./condition_text.js";
import { FIELDS } from "./definitions.js";

const PROPERTY = "properties.";

// Whether rows of this dimension can be filters. Entry and exit pages cannot: they are of a visit, not of an event.
export const isFilter = (by) => FIELDS.includes(by) || by.startsWith(PROPERTY);

// The key of refused names, of lists and of long texts, which is no value to filter by.
const OTHER = "(other)";

// Whether this key of a row can be a filter. null: events without one.
export const isFilterable = (key) => key !== null && key !== OTHER;

const only = (by, key) => condition(by, "=", [word(key)]);
const without = (by, key) => condition(by, "!=", [word(key)]);

// Whether the filters keep only this key.
export const isIncluded = ({ filters, conditions }, by, key) =>
  (FIELDS.includes(by) ? filters.get(by) === key : conditions.includes(only(by, key)));

// Whether a filter names this dimension. A panel of it stays, even if it is empty.
export const isNamed = ({ filters, conditions }, by) =>
  filters.has(by) || conditions.some((text) => text.startsWith(`${by} `));

// The change of the state that keeps only this key; when it is kept already, the one that shows all again.
export function include(state, by, key) {
  if (FIELDS.includes(by)) {
    const filters = new Map(state.filters);
    if (filters.get(by) === key) filters.delete(by);
    else filters.set(by, key);
    return { filters };
  }
  const text = only(by, key);
  return { conditions: isIncluded(state, by, key) ? state.conditions.filter((each) => each !== text) : [...state.conditions, text] };
}

// The change of the state that leaves this key out.
export function exclude(state, by, key) {
  const text = without(by, key);
  return { conditions: state.conditions.includes(text) ? state.conditions : [...state.conditions, text] };
}
