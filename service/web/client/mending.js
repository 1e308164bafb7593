// How the client makes an event storable: it mends or leaves out what the service would refuse.

let flaws = new Set(); // the parts of the event under way that were mended or left out

/** A text of JSON without NUL characters and without halves of characters, which JSON writes as escapes. */
const whole = (json) => json.replace(/\\(u(0000|d[89a-f]..)|.)/g, (escape, _, bad) => (bad ? "\ufffd" : escape));

/** A text of at most `length` characters; undefined when there is none. */
function textOf(value, length, part) {
  if (value == null || value === "") return undefined;
  const text = quietly(() => String(value));
  const kept = text && JSON.parse(whole(JSON.stringify([...text.slice(0, 2 * length)].slice(0, length).join(""))));
  if (!kept || kept !== text) flaws.add(part);
  return kept || undefined;
}

function flagOf(value, part) {
  if (typeof value === "boolean") return value;
  flaws.add(part);
  return ![0, "", "0", "false"].includes(value);
}

/** The properties that can be stored: the others are left out, one by one. Names that begin with $ are the service's own. */
function propertiesOf(given) {
  if (given == null) return undefined;
  const all = quietly(() => (given.toJSON ? given.toJSON() : given));
  if (typeof given !== "object" || typeof all !== "object" || Array.isArray(all)) {
    flaws.add("properties");
    return undefined;
  }
  let room = PROPERTIES - 1; // without a brace
  const kept = Object.keys(all ?? {}).map((name) => {
    const part = `properties.${name}`;
    const text = quietly(() => jsonOf(all[name], part) ?? "");
    if (text === "") return text; // JSON has no such value
    const entry = text && name[0] !== "$" && `${JSON.stringify(name)}:${text}`;
    const mended = entry && whole(entry);
    const left = room - bytesOf(mended);
    const fits = entry && left >= 0;
    if (!fits || entry !== mended) flaws.add(part);
    if (!fits) return "";
    room = left;
    return mended;
  });
  return JSON.parse(`{${kept.filter((entry) => entry)}}`);
}

/** The JSON of a property, as deep as the service takes it. Throws for a circle, and for a getter that throws. */
function jsonOf(value, part) {
  const depths = new Map();
  return JSON.stringify(value, function (_, each) {
    if (typeof each === "bigint") return `${each}`;
    if (!each || typeof each !== "object") return each;
    const depth = (depths.get(this) ?? 1) + 1;
    depths.set(each, depth);
    if (depth <= DEEPEST) return each;
    flaws.add(part);
    return undefined;
  });
}
