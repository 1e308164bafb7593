// JSON with every digit. JavaScript's numbers are doubles: they would round 9007199254740993 to 9007199254740992.
// This page does not lean on `context.source` of JSON.parse, because browsers before 2025 lack it.

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
// A double keeps every number of fewer digits.
const MANY_DIGITS = /[\d.]{16}/;
// Texts of events cannot begin with it, because it is new with each page.
const MARK = `${Math.random()} `;

// A number that no double equals, as the service wrote it.
export class Exact {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

export function parse(json) {
  if (!MANY_DIGITS.test(json)) return JSON.parse(json);
  const marked = json.replace(TOKEN, (token) => (token[0] === '"' || isDouble(token) ? token : `"${MARK}${token}"`));
  if (marked === json) return JSON.parse(json);
  return JSON.parse(marked, (_, value) =>
    (typeof value === "string" && value.startsWith(MARK) ? new Exact(value.slice(MARK.length)) : value));
}

// The shortest text of the nearest double has the same digits.
const isDouble = (token) => digitsOf(token) === digitsOf(String(Number(token)));

const digitsOf = (token) => token.replace(/e.*/i, "").replace(/[-.]/g, "").replace(/^0+|0+$/g, "");

// The JSON of a parsed value.
export function write(value) {
  if (value instanceof Exact) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}:${write(each)}`).join(",")}}`;
}
