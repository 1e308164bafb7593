// Composes conditions such as `tool_name exists and properties.plan = pro`. The service parses them.

// Matches a value that needs no quotes. Control characters need them, because Python and JavaScript differ on blanks.
const WORD = /^[^\s\x00-\x1f\x85"'(),=<>!][^\s\x00-\x1f\x85"(),=<>!]*$/;

// A quoted value equals only a text.
export const string = (text) => JSON.stringify(text);

// A typed value, quoted only if it must be. Without quotes, 10 equals both the number and the text.
export const word = (text) => (WORD.test(text) && text !== "and" ? text : string(text));

// values: results of `string` or `word`.
export function condition(field, operator, values) {
  const value = operator === "in" ? `(${values.join(", ")})` : values.join("");
  return [field, operator, value].filter(Boolean).join(" ");
}

// All of them must hold.
export const joined = (conditions) => conditions.join(" and ");
