// The form that composes a condition: a field or property, an operator, and a value with suggestions.

import { condition, string, word } from "../core/condition_text.js";
import { FIELDS, OPERATORS, ORDERINGS, UNARY } from "../core/definitions.js";
import { element } from "../core/dom.js";
import { NAMES } from "../core/filter_chips.js";
import { propertiesOf, valuesOf } from "./suggestions.js";

const SIGNS = new Map([["=", "is"], ["!=", "is not"], ["missing", "is missing"]]);
// The form has one value; a list can only be written into the address.
const OFFERED = OPERATORS.filter((operator) => operator !== "in");
const OF_FIELDS = OFFERED.filter((operator) => !ORDERINGS.includes(operator));
const LIKE_ANOTHER = /^(?:true|false|-?[\d.]+(?:[eE][+-]?\d+)?)$/;
// Demo and real data have a control of their own.
const CHOSEN = FIELDS.filter((field) => field !== "demo_mode");
const MOST_SHOWN = 120;
let made = 0;

// done({field, operator, value, text}): value as it was typed, text the condition. cancel(): without a condition.
export function conditionForm(state, { done, cancel }) {
  made += 1;
  const list = element("datalist", [["id", `values-${made}`]]);
  const field = element("select", [["aria-label", "Field"]], group("Event", CHOSEN.map((name) => [name, NAMES.get(name)])));
  const operator = element("select", [["aria-label", "Operator"]]);
  const value = element("input", [["aria-label", "Value"], ["list", list.id], ["autocomplete", "off"], ["maxlength", "1000"],
    ["placeholder", "value"]]);
  const give = element("button", [["class", "primary"]], "Add");
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Cancel");
  const form = element("form", [["class", "condition"]], field, operator, value, list, give, leave);
  let known = [];

  const chooseField = async () => {
    const operators = FIELDS.includes(field.value) ? OF_FIELDS : OFFERED;
    operator.replaceChildren(...operators.map((name) => element("option", [["value", name]], SIGNS.get(name) ?? name)));
    chooseOperator();
    list.replaceChildren();
    const chosen = field.value;
    const found = await valuesOf(chosen, state);
    if (field.value !== chosen) return;
    known = found;
    list.replaceChildren(...found.map((row) => element("option", [["value", String(row.value)]])));
  };
  const chooseOperator = () => {
    const isUnary = UNARY.includes(operator.value);
    value.hidden = isUnary;
    value.required = !isUnary;
  };
  field.addEventListener("change", chooseField);
  operator.addEventListener("change", chooseOperator);
  leave.addEventListener("click", cancel);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = UNARY.includes(operator.value) ? [] : [written(value.value, known, operator.value)];
    done({ field: field.value, operator: operator.value, value: value.value, text: condition(field.value, operator.value, values) });
  });
  addProperties(field, state);
  chooseField();
  return { form, focus: () => field.focus() };
}

async function addProperties(field, state) {
  const properties = await propertiesOf(state);
  if (properties.length) {
    field.append(group("Properties", properties.map(({ property }) => [`properties.${property}`, property])));
  }
}

function group(label, rows) {
  return element("optgroup", [["label", label]],
    ...rows.map(([value, text]) => element("option", [["value", value]], text.slice(0, MOST_SHOWN))));
}

// When all events have the value as a text, it is a text, even if it looks like a number.
function written(text, known, operator) {
  const alike = known.filter(({ value }) => String(value) === text);
  const isText = operator !== "contains" && alike.length === 1 && alike[0].value === text && LIKE_ANOTHER.test(text);
  return isText ? string(text) : word(text);
}
