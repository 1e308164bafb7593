// Makes elements and words. Event values are hostile: they reach the page as text nodes and attributes only.

export const $ = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat();
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const hours = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const seconds = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** Make an element; children are elements or texts. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export const number = (value) => (value === null ? "–" : Number.isInteger(value) ? whole.format(value) : tenths.format(value));
export const hourText = (time) => hours.format(new Date(time));
export const dayText = (time) => days.format(new Date(time));
export const secondText = (time) => seconds.format(new Date(time));
