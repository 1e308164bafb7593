// Composes conditions such as `tool_name exists and properties.plan = pro`. The service parses them.

// Matches a value that needs no quotes. Control characters need them, because Python and JavaScript differ on blanks.
const WORD = /^[^\s\x00-\x1f\x85"'(),=<>!][^\s\x00-\x1f\x85"(),=<>!]*$/;

// A quoted value equals only a text.
export const string = (text) => JSON.stringify(text);

// A typed value, quoted only if it must be. Without quotes, 10 equals both the number and the text.
export const word = (text) => (WORD.test(text) && text !== "and" ? text : string(text));

// values: results of `string` or `word`. ignoringCase: whether capitals and small letters are alike.
export function condition(field, operator, values, ignoringCase = false) {
  const value = operator === "in" ? `(${values.join(", ")})` : values.join("");
  return [field, operator, value, ignoringCase ? "ignoring case" : ""].filter(Boolean).join(" ");
}

// A text that may have alternatives, so that it stays one among others. Parentheses too many do no harm.
const enclosed = (text) => (/\bor\b/.test(text) ? `(${text})` : text);

// All of them must hold.
export const joined = (conditions) => (conditions.length > 1 ? conditions.map(enclosed) : conditions).join(" and ");

// One of them must hold.
export const anyOf = (conditions) => conditions.map((text) => `(${text})`).join(" or ");

// It must not hold.
export const negated = (text) => `not (${text})`;
