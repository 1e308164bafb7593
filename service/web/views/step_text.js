// The steps of a funnel, each a text of conditions as in the address: what they are, in words and as they are asked for.

import { parse, textOf, write } from "../core/conditions.js";
import { nameOf, wordsOf } from "../core/filter_chips.js";

export const MOST_STEPS = 10;
// What a step is picked by, at first.
export const PICKED = ["event_type", "tool_name", "action"];

export const stepOf = (field, key) => write([{ field, operator: "=", values: [JSON.stringify(key)] }]);

const isPick = ({ field, operator }) => PICKED.includes(field) && operator === "=";

// {pick, rest}: the first equality, and all other conditions.
export function partsOf(step) {
  const conditions = parse(step) ?? [];
  const pick = conditions.find(isPick) ?? null;
  return { pick, rest: conditions.filter((condition) => condition !== pick) };
}

export const joined = (pick, rest) => write([...(pick ? [pick] : []), ...rest]);

export function titleOf(step) {
  const { pick, rest } = partsOf(step);
  const first = pick ? `${nameOf(pick.field)} ${textOf(pick.values[0])}` : "Any event";
  return [first, ...rest.map((condition) => wordsOf(condition).filter(Boolean).join(" "))].join(", ");
}

// As `POST /api/analytics/funnels` takes it.
export function bodyOf(step) {
  const body = {};
  const where = [];
  for (const condition of parse(step) ?? []) {
    if (isPick(condition)) body[condition.field] = textOf(condition.values[0]);
    else where.push(comparison(condition));
  }
  return where.length ? { ...body, where } : body;
}

function comparison({ field, operator, values }) {
  const property = field.replace(/^properties\./, "");
  if (!values.length) return { property, op: operator };
  if (operator === "in") return { property, op: "in", value: values.flatMap(readings) };
  const [text, typed] = readings(values[0]);
  if (typed === undefined || operator === "contains") return { property, op: operator, value: text };
  // An unquoted 10 is the number as well as the text.
  return operator === "=" ? { property, op: "in", value: [text, typed] } : { property, op: operator, value: typed };
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function readings(value) {
  if (value.startsWith('"')) return [textOf(value)];
  return value === "true" || value === "false" || NUMBER.test(value) ? [value, JSON.parse(value)] : [value];
}
