// How the client makes an event storable: it mends or leaves out what the service would refuse.

let flaws = new Set(); // the parts of the event under way that were mended or left out

/** A text without NUL characters and without halves of characters. */
const whole = (text) => text.replace(/[\0\p{Cs}]/gu, "\ufffd");

/** A text of at most `length` characters; undefined when there is none. */
function textOf(value, length, part) {
  if (value == null || value === "") return undefined;
  const text = quietly(() => String(value));
  const kept = text && whole([...text.slice(0, 2 * length)].slice(0, length).join(""));
  if (!kept || kept !== text) flaws.add(part);
  return kept || undefined;
}

function flagOf(value, part) {
  if (typeof value === "boolean") return value;
  flaws.add(part);
  return ![0, "", "0", "false"].includes(value);
}

/** A value as JSON has it. Throws for a circle, and for a getter that throws. */
const plain = (value) => JSON.parse(JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each)));

/** The properties that can be stored: the others are left out, one by one. */
function propertiesOf(given) {
  if (given == null) return undefined;
  const all = quietly(() => plain(given)) ?? quietly(() => Object.fromEntries(Object.keys(given).map(plainly, given)));
  if (typeof given !== "object" || typeof all !== "object" || Array.isArray(all)) {
    flaws.add("properties");
    return undefined;
  }
  let room = PROPERTIES - 1;
  const kept = Object.entries(all ?? {}).map(([name, value]) => {
    const part = `properties.${name}`;
    const entry = [whole(name), mended(value, DEEPEST - 1, part)];
    if (entry[0] !== name) flaws.add(part);
    const size = new TextEncoder().encode(JSON.stringify(Object.fromEntries([entry]))).length - 1; // a comma for two braces
    if (size <= room) {
      room -= size;
      return entry;
    }
    flaws.add(part);
    return [];
  });
  return Object.fromEntries(kept.filter((entry) => entry.length));
}

function plainly(name) {
  const value = quietly(() => plain(this[name]));
  if (value === undefined) flaws.add(`properties.${name}`);
  return [name, value];
}

/** A plain value with whole texts and at most `levels` lists and objects in one another. */
function mended(value, levels, part) {
  if (typeof value === "string") {
    const text = whole(value);
    if (text !== value) flaws.add(part);
    return text;
  }
  if (!value || typeof value !== "object") return value;
  if (!levels) {
    flaws.add(part);
    return undefined;
  }
  const inner = (each) => mended(each, levels - 1, part);
  if (Array.isArray(value)) return value.map(inner);
  return Object.fromEntries(Object.entries(value).map((entry) => entry.map(inner)));
}
