// Keys of fields, properties and their values, as events have them. Each is asked for once.

import { get } from "../core/api.js";
import { TOP_DIMENSIONS } from "../core/definitions.js";
import { hoursOf, rangeOf } from "../core/state.js";

const MOST_KEYS = "50";
const MOST_VALUES = "100";
// A week shows what events usually have; more raw events would only take longer.
const HOURS_LOOKED_AT = 168;
const SCALARS = ["string", "number", "boolean"];
const kept = new Map();

function asked(path, state, parameters) {
  const range = state.range === "custom" ? rangeOf(state) : [["hours", String(Math.min(hoursOf(state), HOURS_LOOKED_AT))]];
  const query = [...range, ...parameters];
  const key = JSON.stringify([path, query]);
  if (!kept.has(key)) {
    const answer = get(path, query, new AbortController().signal);
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
  }
  return kept.get(key);
}

// [{key, events}], most events first; empty when the service cannot answer.
export async function keysOf(dimension, state) {
  try {
    const answer = await asked("top", state, [["by", dimension], ["limit", MOST_KEYS]]);
    return answer.rows;
  } catch {
    return [];
  }
}

// [{property, events}] of properties with values; `property` is as conditions take it after `properties.`.
export async function propertiesOf(state) {
  try {
    const answer = await asked("properties", state, []);
    return answer.properties.filter(({ types }) => SCALARS.some((type) => types[type]));
  } catch {
    return [];
  }
}

// [{value, events}] of a field or a property; a value is a text, a number or a truth value.
export async function valuesOf(field, state) {
  if (TOP_DIMENSIONS.includes(field)) return (await keysOf(field, state)).map(({ key, events }) => ({ value: key, events }));
  if (!field.startsWith("properties.")) return [];
  const property = field.slice("properties.".length);
  try {
    const answer = await asked("properties", state, [["property", property], ["limit", MOST_VALUES]]);
    return answer.properties[0]?.values ?? [];
  } catch {
    return [];
  }
}
