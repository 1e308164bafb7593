// Names and limits that the service defines as well. A test compares the two (tests/browser/test_definitions.py).

export const METRICS = ["events", "sessions", "visitors", "users", "new_users", "tool_uses", "event_types", "events_per_session"];
// Numbers of visits, which the service counts from page views.
export const VISIT_METRICS = ["page_views", "bounce_rate", "visit_duration", "pages_per_visit"];
export const DIMENSIONS = ["event_type", "tool_name", "action", "risk_mode", "demo_mode"];
// The dimensions whose keys `top` lists: demo_mode has only two.
export const TOP_DIMENSIONS = DIMENSIONS.filter((name) => name !== "demo_mode");
// The event fields that conditions can test. Conditions can also test properties.
export const FIELDS = [...DIMENSIONS, "session_id", "user_id"];
// Filters that take one value each, unlike conditions (`where`).
export const FILTERS = [...FIELDS, "segment"];
export const UNARY = ["exists", "missing"];
export const ORDERINGS = ["<", "<=", ">", ">="];
export const OPERATORS = ["=", "!=", "contains", "starts with", "ends with", ...ORDERINGS, "in", ...UNARY];
// Funnels: the fields that a step can name, who takes the steps, and in which order.
export const STEP_NAMES = ["event_type", "tool_name", "action"];
export const ACTORS = ["session", "user"];
export const ORDERS = ["loose", "strict"];
// Retention.
export const INTERVALS = ["day", "week", "month"];
export const OWNERS = ["user", "visitor"];
export const RETENTIONS = ["bounded", "unbounded"];
export const COMPARISONS = ["none", "previous", "week", "year"];
export const LONGEST_VIEW_NAME = 128;
// Worst first.
export const PROOF_STATES = ["broken", "damaged", "drifted", "open", "verified", "sealed"];
export const FAILED_STATES = ["broken", "damaged", "drifted"];
export const MOST_HOURS = 8_784;
export const MOST_STEPS = 10;
export const LONGEST_SEGMENT_NAME = 128;
