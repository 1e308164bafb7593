// The filters as chips, each taken away by a click.

import { parse, textOf, write as conditionsText } from "./conditions.js";
import { element, find } from "./dom.js";

export const NAMES = new Map([
  ["event_type", "Type"], ["tool_name", "Tool"], ["action", "Action"], ["risk_mode", "Risk mode"],
  ["session_id", "Session"], ["user_id", "User"], ["segment", "Segment"], ["demo_mode", "Demo"],
]);
const SIGNS = new Map([["=", "is"], ["!=", "is not"], ["missing", "is missing"], ["exists", "is there"]]);
const OWN_CONTROL = ["demo_mode", "where"];
const TITLE_LENGTH = 300;

export function nameOf(field) {
  return NAMES.get(field) ?? field.replace(/^properties\./, "");
}

export const signOf = (operator) => SIGNS.get(operator) ?? operator;

// name, sign and value of a condition as it is read.
export function wordsOf({ field, operator, values }) {
  return [nameOf(field), operator === "=" ? "" : signOf(operator), values.map(textOf).join(", ")];
}

// remove(filters): those that are left.
export function show(filters, remove) {
  find("demo-mode").value = filters.get("demo_mode") ?? "";
  const plain = [...filters].filter(([name]) => !OWN_CONTROL.includes(name)).map(([name, value]) =>
    chip([NAMES.get(name), "", value], () => remove(without(filters, name))));
  find("chips").replaceChildren(...plain, ...conditionChips(filters, remove));
}

function conditionChips(filters, remove) {
  const text = filters.get("where");
  if (!text) return [];
  const conditions = parse(text);
  if (!conditions) return [chip(["Where", "", text], () => remove(without(filters, "where")))];
  return conditions.map((condition) => chip(wordsOf(condition), () => {
    const rest = conditionsText(conditions.filter((other) => other !== condition));
    remove(rest ? new Map(filters).set("where", rest) : without(filters, "where"));
  }));
}

export function chip([name, sign, value], remove) {
  const button = element("button", [["type", "button"], ["class", "chip"], ["title", `Remove: ${value.slice(0, TITLE_LENGTH)}`]],
    `${name}${sign && ` ${sign}`} `, element("bdi", [], value), element("span", [["class", "unseen"]], " remove this filter"),
    element("span", [["aria-hidden", "true"]], "×"));
  button.addEventListener("click", remove);
  return element("li", [], button);
}

function without(filters, name) {
  const rest = new Map(filters);
  rest.delete(name);
  return rest;
}
