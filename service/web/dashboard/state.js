// What is shown: in the address, so that it can be shared and gone back to. The token is never part of it.

import { zone } from "./dom.js";

const RANGES = new Map([["1h", 1], ["6h", 6], ["24h", 24], ["7d", 168], ["30d", 720], ["90d", 2160]]);
const COMPARES = ["none", "previous", "week"];
export const METRICS = new Map([
  ["events", "Events"],
  ["sessions", "Sessions"],
  ["tool_uses", "Tool uses"],
  ["event_types", "Event types"],
  ["events_per_session", "Events per session"],
]);
export const FILTERS = new Map([
  ["event_type", "Event type"],
  ["tool_name", "Tool"],
  ["action", "Action"],
  ["risk_mode", "Risk mode"],
  ["demo_mode", "Demo events"],
]);
const HOUR = 3_600_000;

export const state = read();

function read() {
  const given = new URLSearchParams(location.search);
  const from = moment(given.get("from"));
  const to = moment(given.get("to"));
  const custom = given.get("range") === "custom" && from !== null && to !== null && from < to;
  return {
    range: custom ? "custom" : RANGES.has(given.get("range")) ? given.get("range") : "24h",
    from: custom ? from : null,
    to: custom ? to : null,
    compare: COMPARES.includes(given.get("compare")) ? given.get("compare") : "previous",
    metric: METRICS.has(given.get("metric")) ? given.get("metric") : "events",
    filters: new Map([...FILTERS.keys()].filter((name) => given.get(name)).map((name) => [name, given.get(name)])),
  };
}

function moment(text) {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : Math.floor(time / HOUR) * HOUR;
}

/** Read the address again, after it changed by going back. */
export function reread() {
  Object.assign(state, read());
}

/** Change what is shown, as a step that one can go back from. */
export function show(changes) {
  Object.assign(state, changes);
  const address = new URLSearchParams({ range: state.range, compare: state.compare, metric: state.metric });
  if (state.range === "custom") {
    address.set("from", utc(state.from));
    address.set("to", utc(state.to));
  }
  for (const [name, value] of state.filters) address.set(name, value);
  history.pushState(null, "", `?${address}`);
}

/** Filter by a value, or no more when it is what is filtered by already. */
export function toggle(name, value) {
  const filters = new Map(state.filters);
  if (value === null || filters.get(name) === value) filters.delete(name);
  else filters.set(name, value);
  show({ filters });
}

const utc = (time) => new Date(time).toISOString();

/** How many hours the range has. */
export function rangeHours() {
  return state.range === "custom" ? (state.to - state.from) / HOUR : RANGES.get(state.range);
}

export const interval = () => (rangeHours() <= 168 ? "hour" : "day");

/** Parameters of every read of a range. */
export function rangeQuery() {
  return state.range === "custom" ? { from: utc(state.from), to: utc(state.to) } : { hours: rangeHours() };
}

export const filterQuery = () => Object.fromEntries(state.filters);
export const trendQuery = () => ({ interval: interval(), tz: zone, ...rangeQuery(), ...filterQuery() });

/** Hours back from now that reach the beginning of the range. */
export function hoursBack() {
  return state.range === "custom" ? Math.min(Math.max(Math.ceil((Date.now() - state.from) / HOUR), 1), 8760) : rangeHours();
}
