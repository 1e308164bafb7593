// Conditions as the service reads them, such as `tool_name exists and properties.plan = pro`: composed here, parsed there.

// What needs no quotes. Python and JavaScript differ in which control characters are blanks; all of them are quoted.
const WORD = /^[^\s\x00-\x1f\x85"'(),=<>!][^\s\x00-\x1f\x85"(),=<>!]*$/;

// A value that is a text and nothing else.
export const string = (text) => JSON.stringify(text);

// A value as it is typed. As a word, 10 equals the number as well as the text.
export const word = (text) => (WORD.test(text) && text !== "and" ? text : string(text));

// values: each as `string` or `word` writes it.
export function condition(field, operator, values) {
  const value = operator === "in" ? `(${values.join(", ")})` : values.join("");
  return [field, operator, value].filter(Boolean).join(" ");
}

// All of them must hold.
export const joined = (conditions) => conditions.join(" and ");
