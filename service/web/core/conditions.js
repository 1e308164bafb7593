// Conditions as the service reads and writes them, such as `tool_name exists and properties.plan = pro`.

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
// A string right after a dot belongs to the word: it is a name in a path.
const TOKEN = new RegExp(`\\s*(${STRING}|<=|>=|!=|[=<>(),]|(?:(?<=\\.)${STRING}|[^\\s"(),=<>!])+)`, "y");
const PLAIN = /^[^\s"(),=<>!]+$/;
const UNARY = ["exists", "missing"];

function tokens(text) {
  const found = [];
  const whole = text.trim();
  TOKEN.lastIndex = 0;
  for (let end = 0; end < whole.length; end = TOKEN.lastIndex) {
    const token = TOKEN.exec(whole);
    if (!token) return null;
    found.push(token[1]);
  }
  return found;
}

// [{field, operator, values}], as they are written; null for a text that is none.
export function parse(text) {
  const given = tokens(text);
  if (given === null) return null;
  const found = [];
  while (given.length) {
    if (found.length && given.shift() !== "and") return null;
    const [field, operator] = given.splice(0, 2);
    if (operator === undefined) return null;
    const values = UNARY.includes(operator) ? [] : valuesOf(operator, given);
    if (values === null) return null;
    found.push({ field, operator, values });
  }
  return found;
}

function valuesOf(operator, given) {
  if (operator !== "in") return given.length ? [given.shift()] : null;
  const end = given.indexOf(")");
  if (end < 0) return null;
  return given.splice(0, end + 1).filter((_, place) => place % 2 === 1);
}

export function write(conditions) {
  return conditions.map(({ field, operator, values }) => {
    const value = operator === "in" ? `(${values.join(", ")})` : values.join("");
    return [field, operator, value].filter(Boolean).join(" ");
  }).join(" and ");
}

// A text as a value; unquoted where it can be, so that 10 is the number as well as the text.
export const valueOf = (text) => (PLAIN.test(text) && text !== "and" ? text : JSON.stringify(text));

// What a value means to a reader.
export function textOf(value) {
  try {
    return value.startsWith('"') ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}
