// The state of the page. It stands in the address, so that it can be shared and the browser can go back.

import { CALENDARS, calendarBounds } from "./calendar_ranges.js";
import { now } from "./clock.js";
import { joined } from "./condition_text.js";
import { usualMetric } from "./site_kind.js";
import {
  ACTORS, COMPARISONS, DIMENSIONS, FILTERS, INTERVALS, METRICS, MOST_HOURS, MOST_STEPS, ORDERS, OWNERS, RETENTIONS,
  VISIT_METRICS,
} from "./definitions.js";

export const HOUR = 3_600_000;
export const QUARTER = HOUR / 4;
export const RANGES = new Map([["1h", 1], ["6h", 6], ["24h", 24], ["7d", 168], ["30d", 720], ["90d", 2160]]);
const DEFAULTS = { range: "7d", compare: "previous" };
// The options of each view and their values, the default first; null: any text.
const OPTIONS = new Map([
  ["overview", { by: ["", ...DIMENSIONS] }],
  ["funnels", { window: ["1440", "30", "60", "360", "10080", "20160", "43200"], per: ACTORS, order: ORDERS, breakdown: null }],
  ["retention", { interval: INTERVALS, per: OWNERS, retention: RETENTIONS }],
  ["goals", { goal: null, by: null }],
  ["paths", { page: null, direction: ["next", "previous"] }],
  ["proofs", {}],
  ["settings", {}],
  ["components", {}],
]);
export const VIEWS = [...OPTIONS.keys()];
// A comparison with a range that the reader chooses. It begins at `against`.
export const CHOSEN = "custom";
const TIMELINES = ["session", "user"];
// Of the last hours below this, the quarters count back from the current one; otherwise the hours do.
const HOURS_IN_QUARTERS = 24;
// The longest ranges, in hours, that a chart divides so finely.
const FINEST = [["minute", 2], ["quarter", 12], ["hour", 168]];

const known = (value, among, otherwise) => (among.includes(value) ? value : otherwise);

function quarterOf(text) {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : Math.floor(time / QUARTER) * QUARTER;
}

export function read(search = location.search) {
  const given = new URLSearchParams(search);
  const since = quarterOf(given.get("from"));
  const until = quarterOf(given.get("to"));
  const isCustom = since !== null && until !== null && since < until && until - since <= MOST_HOURS * HOUR;
  const site = given.get("site") ?? "";
  const against = quarterOf(given.get("against"));
  const view = known(given.get("view"), VIEWS, VIEWS[0]);
  const timeline = TIMELINES.find((of) => given.get(of));
  return {
    view,
    site,
    range: isCustom ? "custom" : known(given.get("range"), [...RANGES.keys(), ...CALENDARS.keys()], DEFAULTS.range),
    since: isCustom ? since : null,
    until: isCustom ? until : null,
    compare: against === null ? known(given.get("compare"), COMPARISONS, DEFAULTS.compare) : CHOSEN,
    against,
    metric: known(given.get("metric"), [...METRICS, ...VISIT_METRICS], usualMetric(site)),
    filters: new Map(FILTERS.filter((name) => given.get(name)).map((name) => [name, given.get(name)])),
    options: Object.fromEntries(VIEWS.map((name) => [name, optionsOf(name, name === view ? given : new URLSearchParams())])),
    conditions: given.getAll("where").filter(Boolean),
    steps: stepsIn(given),
    timeline: timeline ? { of: timeline, id: given.get(timeline) } : null,
  };
}

// Each step is a list of conditions: `step` begins one, and each `and` that follows belongs to it.
function stepsIn(given) {
  const steps = [];
  for (const [name, text] of given) {
    if (name === "step") steps.push([]);
    if (text && (name === "step" || name === "and")) steps.at(-1)?.push(text);
  }
  return steps.filter((step) => step.length).slice(0, MOST_STEPS);
}

const optionsOf = (view, given) => Object.fromEntries(Object.entries(OPTIONS.get(view)).map(([name, values]) =>
  [name, values ? known(given.get(name), values, values[0]) : given.get(name) ?? ""]));

export function address(state) {
  const given = new URLSearchParams();
  if (state.view !== VIEWS[0]) given.set("view", state.view);
  if (state.site) given.set("site", state.site);
  if (state.range === "custom") for (const [name, value] of bounds([state.since, state.until])) given.set(name, value);
  else if (state.range !== DEFAULTS.range) given.set("range", state.range);
  if (state.compare === CHOSEN) given.set("against", new Date(state.against).toISOString());
  if (![DEFAULTS.compare, CHOSEN].includes(state.compare)) given.set("compare", state.compare);
  // Which metric is usual depends on the browser, so the address always says it.
  given.set("metric", state.metric);
  for (const [name, values] of Object.entries(OPTIONS.get(state.view))) {
    const value = state.options[state.view][name];
    if (value !== (values?.[0] ?? "")) given.set(name, value);
  }
  if (state.view === "funnels") for (const [first, ...more] of state.steps) {
    given.append("step", first);
    for (const text of more) given.append("and", text);
  }
  for (const [name, value] of state.filters) given.set(name, value);
  for (const text of state.conditions) given.append("where", text);
  if (state.timeline) given.set(state.timeline.of, state.timeline.id);
  const text = given.toString();
  return location.pathname + (text ? `?${text}` : "");
}

// The change that gives an option of the view another value.
export function withOption(state, name, value) {
  return { options: { ...state.options, [state.view]: { ...state.options[state.view], [name]: value } } };
}

const bounds = ([since, until]) => [["from", new Date(since).toISOString()], ["to", new Date(until).toISOString()]];

const isBounded = ({ range }) => range === "custom" || CALENDARS.has(range);

export function hoursOf(state) {
  if (!isBounded(state)) return RANGES.get(state.range);
  const [since, until] = rangeShown(state);
  return (until - since) / HOUR;
}

export const intervalOf = (state) => FINEST.find(([, most]) => hoursOf(state) <= most)?.[0] ?? "day";

// The range as parameters of a read.
export function rangeOf(state) {
  const isInQuarters = isBounded(state) || hoursOf(state) < HOURS_IN_QUARTERS;
  return isInQuarters ? bounds(rangeShown(state)) : [["hours", String(hoursOf(state))]];
}

// The filters as parameters of a read, conditions included: [[name, text]].
export const filtersOf = ({ filters, conditions }) =>
  [...filters, ...(conditions.length ? [["where", joined(conditions)]] : [])];

export const isFiltered = (state) => filtersOf(state).length > 0;

// The range and the filters as parameters of a read. The service itself adds those of a share link.
export const scopeOf = (state) => (state.isShared ? [] : [...rangeOf(state), ...filtersOf(state)]);

// The comparison as parameters of a read.
export function comparisonOf(state, otherwise = state.compare) {
  if (state.compare !== CHOSEN) return [["compare", otherwise]];
  const [since, until] = rangeShown(state);
  const [from, to] = [state.against, state.against + until - since].map((time) => new Date(time).toISOString());
  return [["compare_from", from], ["compare_to", to]];
}

// The start of the range and its end.
export function rangeShown(state) {
  if (state.range === "custom") return [state.since, state.until];
  if (CALENDARS.has(state.range)) return calendarBounds(state.range, now());
  const step = hoursOf(state) < HOURS_IN_QUARTERS ? QUARTER : HOUR;
  const end = (Math.floor(now() / step) + 1) * step;
  return [end - hoursOf(state) * HOUR, end];
}

// The whole hours that the range touches: drawn until there is an answer.
export function hoursShown(state) {
  const [since, until] = rangeShown(state);
  return [Math.floor(since / HOUR) * HOUR, Math.ceil(until / HOUR) * HOUR];
}
