// Numbers and times as people read them, in the browser's language and time zone.

import { timeIn } from "./repeated_hour.js";

const whole = new Intl.NumberFormat();
const fraction = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(undefined, { maximumFractionDigits: 20 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const hour = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const moment = new Intl.DateTimeFormat(undefined, {
  month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const axisMinute = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const hourOfDay = new Intl.DateTimeFormat(undefined, { hour: "numeric" });
// Without AM and PM a full hour is no longer than 13:00, and 13 alone would not look like a time.
const axisHour = axisMinute.resolvedOptions().hour12 ? hourOfDay : axisMinute;
const second = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const month = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const rowMonth = new Intl.DateTimeFormat(undefined, { month: "short" });
const rowDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const NOTHING = "–";

const FRACTIONS = ["events_per_session", "pages_per_visit"];

export function number(metric, value) {
  if (value === null || value === undefined) return NOTHING;
  if (metric === "bounce_rate") return share(value);
  if (metric === "visit_duration") return durationText(value);
  return FRACTIONS.includes(metric) ? fraction.format(value) : whole.format(value);
}

// A number beside an axis; empty between two whole ones where only those make sense.
export function axisNumber(metric, value) {
  if (metric === "bounce_rate" || metric === "visit_duration") return number(metric, value);
  return !FRACTIONS.includes(metric) && !Number.isInteger(value) ? "" : compact(value);
}

// A number with all its digits, which may be more than a double keeps.
export const exactText = (value) => exact.format(String(value));
export const count = (value) => whole.format(value);
// A number with its noun, such as `1 hour` or `1,200 hours`. noun: in the singular, with a plural in -s.
export const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
// A range that ends now, such as "last 30 days".
export const lastText = (hours) => {
  if (hours === 1 || hours === 24) return hours === 1 ? "last hour" : "last day";
  return `last ${hours % 24 ? counted(hours, "hour") : counted(hours / 24, "day")}`;
};
export const compact = (value) => short.format(value);
export const share = (value) => percent.format(value);
export const hourText = (text) => timeIn(hour, new Date(text));
export const dayText = (text) => day.format(new Date(text));
export const momentText = (text) => timeIn(moment, new Date(text));
export const secondText = (text) => timeIn(second, new Date(text));
export const monthText = (text) => month.format(new Date(text));
export const clockText = (date) => timeIn(clock, date);
export const axisHourText = (date) => timeIn(axisHour, date);
export const axisMinuteText = (date) => timeIn(axisMinute, date);
export const axisDayText = (date) => rowDay.format(date);
export const rowMonthText = (date) => rowMonth.format(date);
export const hourOfDayText = (date) => hourOfDay.format(date);
export const rowDayText = (date) => rowDay.format(date);

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

// A length of time in two units at most, such as `2 h 5 min`; below a second, in milliseconds.
export function durationText(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  const whole = Math.round(seconds);
  const place = UNITS.findIndex(([, length]) => whole >= length);
  if (place < 0) return "0 s";
  const [name, length] = UNITS[place];
  const first = `${Math.floor(whole / length)} ${name}`;
  const next = UNITS[place + 1];
  const rest = next ? Math.floor((whole % length) / next[1]) : 0;
  return rest ? `${first} ${rest} ${next[0]}` : first;
}

// The smallest change that one decimal of a percentage can show.
const LEAST = 0.001;
const UNCHANGED = { seen: "unchanged", words: "unchanged" };

// A change in words and signs; null without a value to compare with.
export function change(value, before) {
  if (value === null || before === null || before === undefined) return null;
  if (before === 0) return value === 0 ? UNCHANGED : null;
  const by = value / before - 1;
  const text = Math.abs(by) < LEAST ? `<${share(LEAST)}` : share(Math.abs(by));
  if (value === before) return UNCHANGED;
  return by > 0 ? { seen: `▲ ${text}`, words: `up ${text}`, sense: "up" } : { seen: `▼ ${text}`, words: `down ${text}`, sense: "down" };
}
