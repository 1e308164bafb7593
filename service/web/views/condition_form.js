// One condition: a field or a property that was sent, an operator, and a value with suggestions.

import { valueOf } from "../core/conditions.js";
import { element } from "../core/dom.js";
import { nameOf, signOf } from "../core/filter_chips.js";
import { propertiesOf, valuesOf } from "./suggestions.js";

const UNARY = ["exists", "missing"];
const OPERATORS = ["=", "!=", "contains", "<", "<=", ">", ">=", ...UNARY];
const LIKE_ANOTHER = /^(?:true|false|-?[\d.]+(?:[eE][+-]?\d+)?)$/;
const MOST_SHOWN = 120;
let made = 0;

// fields: [name, those operators]; done({field, operator, values}); cancel().
export function conditionForm(state, { fields, label, done, cancel }) {
  made += 1;
  const list = element("datalist", [["id", `values-${made}`]]);
  const field = element("select", [["aria-label", "Field"]], group("Event", fields.map(([name]) => [name, nameOf(name)])));
  const operator = element("select", [["aria-label", "Operator"]]);
  const value = element("input", [["aria-label", "Value"], ["list", list.id], ["autocomplete", "off"], ["maxlength", "1000"],
    ["placeholder", "value"]]);
  const give = element("button", [["class", "primary"]], label);
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Cancel");
  const form = element("form", [["class", "condition"]], field, operator, value, list, give, leave);
  let known = [];

  const chooseField = async () => {
    const operators = new Map(fields).get(field.value) ?? OPERATORS;
    operator.replaceChildren(...operators.map((name) => element("option", [["value", name]], signOf(name))));
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
    const isUnary = UNARY.includes(operator.value);
    done({ field: field.value, operator: operator.value, values: isUnary ? [] : [written(value.value, known, operator.value)] });
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

// A text that was sent as a text, and as nothing else, is no number, though it may look like one.
function written(text, known, operator) {
  const alike = known.filter(({ value }) => String(value) === text);
  const isText = operator !== "contains" && alike.length === 1 && alike[0].value === text && LIKE_ANOTHER.test(text);
  return isText ? JSON.stringify(text) : valueOf(text);
}
