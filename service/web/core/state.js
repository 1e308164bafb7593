// The state of the page. It stands in the address, so that it can be shared and the browser can go back.

import { now } from "./clock.js";
import { joined } from "./condition_text.js";
import {
  ACTORS, COMPARISONS, DIMENSIONS, FILTERS, INTERVALS, METRICS, MOST_HOURS, MOST_STEPS, ORDERS, OWNERS, RETENTIONS,
} from "./definitions.js";

export const HOUR = 3_600_000;
export const QUARTER = HOUR / 4;
export const RANGES = new Map([["1h", 1], ["6h", 6], ["24h", 24], ["7d", 168], ["30d", 720], ["90d", 2160]]);
const DEFAULTS = { range: "7d", compare: "previous", metric: "events" };
// The options of each view and their values, the default first; null: any text.
const OPTIONS = new Map([
  ["overview", { by: ["", ...DIMENSIONS] }],
  ["funnels", { window: ["1440", "30", "60", "360", "10080", "20160", "43200"], per: ACTORS, order: ORDERS, breakdown: null }],
  ["retention", { interval: INTERVALS, per: OWNERS, retention: RETENTIONS }],
  ["settings", {}],
]);
export const VIEWS = [...OPTIONS.keys()];
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
  const view = known(given.get("view"), VIEWS, VIEWS[0]);
  const timeline = TIMELINES.find((of) => given.get(of));
  return {
    view,
    site: given.get("site") ?? "",
    range: isCustom ? "custom" : known(given.get("range"), [...RANGES.keys()], DEFAULTS.range),
    since: isCustom ? since : null,
    until: isCustom ? until : null,
    compare: known(given.get("compare"), COMPARISONS, DEFAULTS.compare),
    metric: known(given.get("metric"), METRICS, DEFAULTS.metric),
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
  for (const name of ["compare", "metric"]) if (state[name] !== DEFAULTS[name]) given.set(name, state[name]);
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

export const hoursOf = (state) =>
  state.range === "custom" ? (state.until - state.since) / HOUR : RANGES.get(state.range);

export const intervalOf = (state) => FINEST.find(([, most]) => hoursOf(state) <= most)?.[0] ?? "day";

// The range as parameters of a read.
export function rangeOf(state) {
  const isInQuarters = state.range === "custom" || hoursOf(state) < HOURS_IN_QUARTERS;
  return isInQuarters ? bounds(rangeShown(state)) : [["hours", String(hoursOf(state))]];
}

// The filters as parameters of a read, conditions included: [[name, text]].
export const filtersOf = ({ filters, conditions }) =>
  [...filters, ...(conditions.length ? [["where", joined(conditions)]] : [])];

export const isFiltered = (state) => filtersOf(state).length > 0;

// The range and the filters as parameters of a read.
export const scopeOf = (state) => [...rangeOf(state), ...filtersOf(state)];

// The start of the range and its end.
export function rangeShown(state) {
  if (state.range === "custom") return [state.since, state.until];
  const step = hoursOf(state) < HOURS_IN_QUARTERS ? QUARTER : HOUR;
  const end = (Math.floor(now() / step) + 1) * step;
  return [end - hoursOf(state) * HOUR, end];
}

// The whole hours that the range touches: drawn until there is an answer.
export function hoursShown(state) {
  const [since, until] = rangeShown(state);
  return [Math.floor(since / HOUR) * HOUR, Math.ceil(until / HOUR) * HOUR];
}
