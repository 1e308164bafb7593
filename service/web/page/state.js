// What is shown: kept in the address, so that it can be shared and gone back to. The token never is.

const HOUR = 3_600_000;
export const METRICS = ["events", "sessions", "tool_uses", "event_types", "events_per_session"];
export const FILTERS = ["event_type", "tool_name", "action", "risk_mode", "demo_mode"];
export const RANGES = new Map([["1h", 1], ["6h", 6], ["24h", 24], ["7d", 168], ["30d", 720], ["90d", 2160]]);
export const COMPARISONS = ["none", "previous", "week"];
const DEFAULTS = { range: "7d", compare: "previous", metric: "events" };
const MOST_HOURS = 8_760;
const HOURS_BY_HOUR = 168;

const known = (value, among, otherwise) => (among.includes(value) ? value : otherwise);

function hourOf(text) {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : Math.floor(time / HOUR) * HOUR;
}

export function read(search = location.search) {
  const given = new URLSearchParams(search);
  const since = hourOf(given.get("from"));
  const until = hourOf(given.get("to"));
  const isCustom = since !== null && until !== null && since < until && until - since <= MOST_HOURS * HOUR;
  return {
    range: isCustom ? "custom" : known(given.get("range"), [...RANGES.keys()], DEFAULTS.range),
    since: isCustom ? since : null,
    until: isCustom ? until : null,
    compare: known(given.get("compare"), COMPARISONS, DEFAULTS.compare),
    metric: known(given.get("metric"), METRICS, DEFAULTS.metric),
    filters: new Map(FILTERS.filter((name) => given.get(name)).map((name) => [name, given.get(name)])),
  };
}

export function address(state) {
  const given = new URLSearchParams();
  if (state.range === "custom") for (const [name, value] of bounds(state)) given.set(name, value);
  else if (state.range !== DEFAULTS.range) given.set("range", state.range);
  for (const name of ["compare", "metric"]) if (state[name] !== DEFAULTS[name]) given.set(name, state[name]);
  for (const [name, value] of state.filters) given.set(name, value);
  const text = given.toString();
  return location.pathname + (text ? `?${text}` : "");
}

const bounds = (state) => [["from", new Date(state.since).toISOString()], ["to", new Date(state.until).toISOString()]];

export const hoursOf = (state) =>
  state.range === "custom" ? (state.until - state.since) / HOUR : RANGES.get(state.range);

export const intervalOf = (state) => (hoursOf(state) <= HOURS_BY_HOUR ? "hour" : "day");

// The parameters that every read of a range has.
export function rangeOf(state) {
  return state.range === "custom" ? bounds(state) : [["hours", String(hoursOf(state))]];
}

// The first and the last hour of the range, by this machine's clock: what is drawn before an answer came.
export function hoursShown(state, now = Date.now()) {
  if (state.range === "custom") return [state.since, state.until];
  const end = (Math.floor(now / HOUR) + 1) * HOUR;
  return [end - hoursOf(state) * HOUR, end];
}
