// Names of keys that are codes: countries, regions and languages, in the browser's language.

const names = (type) => new Intl.DisplayNames(undefined, { type, fallback: "code" });
const countries = names("region");
const languages = names("language");

function named(among, code) {
  try {
    return among.of(code);
  } catch { // a text that is no code
    return code;
  }
}

// A region such as CH-ZH has its country's name. The parts of countries have codes only.
function regionOf(code) {
  const [country, part] = code.split("-");
  return part ? `${named(countries, country)}, ${part}` : named(countries, code);
}

const NAMERS = new Map([
  ["properties.$country", (code) => named(countries, code)], ["properties.$region", regionOf],
  ["properties.language", (code) => named(languages, code)],
]);

// by: what is counted by. Returns what to show for a key.
export const nameOf = (by, key) => NAMERS.get(by)?.(key) ?? key;
