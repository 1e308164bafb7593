// The pictures of the wall. Each reads what it shows and returns nodes, or null when there is nothing to show.

import { get } from "../core/api.js";
import { VISIT_METRICS } from "../core/definitions.js";
import { element, find } from "../core/dom.js";
import { change, count, number, share, zone } from "../core/format.js";
import { nameOf } from "../core/key_names.js";
import { comparisonOf, filtersOf, hoursOf, intervalOf, rangeOf, scopeOf } from "../core/state.js";
import { isComparable, noteOf, senseOf } from "../overview/metric_cards.js";
import { questionOf, valueOf } from "../overview/panel_reads.js";
import { course } from "./wall_course.js";

const ROWS = "8";
const PAGE_VIEW = "page_viewed";
const CANNOT = [400, 403, 404];
const WEB = [["visitors", "Visitors"], ["page_views", "Page views"], ["sessions", "Sessions"], ["bounce_rate", "Bounce rate"],
  ["visit_duration", "Visit duration"]];
const PRODUCT = [["events", "Events"], ["sessions", "Sessions"], ["visitors", "Visitors"], ["users", "Users"], ["tool_uses", "Tool uses"],
  ["events_per_session", "Events per session"]];

// What a server cannot answer is left out.
async function orNothing(asked) {
  try {
    return await asked;
  } catch (error) {
    if (CANNOT.includes(error.status)) return null;
    throw error;
  }
}

const compared = (state) => (state.isShared ? [] : comparisonOf(state));

async function numbers(state, signal) {
  const scope = scopeOf(state);
  const [summary, visits, now] = await Promise.all([
    get("summary", [...scope, ...compared(state)], signal), orNothing(get("visits", [...scope, ...compared(state)], signal)),
    state.isShared ? null : orNothing(get("now", filtersOf(state), signal)),
  ]);
  const isWeb = summary.event_types.some(({ key }) => key === PAGE_VIEW);
  // What the summary counts, too, is its number: visits are counted from raw events, which are kept for a shorter time.
  const figures = (isWeb ? WEB : PRODUCT).map(([name, title]) => {
    const isOfVisits = VISIT_METRICS.includes(name);
    const answer = isOfVisits ? visits : summary;
    const numberOf = (of) => (isOfVisits ? of : of.totals)[name];
    return answer && figure(name, title, numberOf(answer), isComparable(answer.compare, state) ? numberOf(answer.compare) : null,
      noteOf(answer, hoursOf(state)));
  }).filter(Boolean);
  return [element("ul", [["class", "wall-figures"]], ...(now && isWeb ? [nowFigure(now)] : []), ...figures)];
}

function figure(name, title, value, before, note) {
  const by = note ? null : change(value, before);
  const sense = by?.sense ? senseOf(name, by.sense) : "";
  return element("li", [], element("span", [["class", "wall-name"]], title), element("strong", [], number(name, value)),
    element("span", [["class", "wall-change"], ["data-sense", sense]], note || by?.seen || "\u00a0"));
}

const nowFigure = ({ minutes, visitors }) => element("li", [["class", "wall-now"]], element("span", [["class", "wall-name"]], "Now"),
  element("strong", [], count(visitors)), element("span", [["class", "wall-change"]], `in ${minutes} minutes`));

async function chart(state, signal) {
  const interval = intervalOf(state) === "minute" ? "quarter" : intervalOf(state);
  const answer = await get("trends", [...scopeOf(state), ["metric", state.metric], ["interval", interval], ["tz", zone], ...compared(state)], signal);
  return answer.buckets.some(({ value }) => value) ? [course(answer)] : null;
}

// A picture of two lists. lists: [[by, title, measure]].
const lists = (...wanted) => async (state, signal) => {
  const found = await Promise.all(wanted.map(([by, , measure]) => orNothing(get("top", questionOf(state, { measure }, by, [["limit", ROWS]]), signal))));
  const nodes = found.map((answer, place) => (answer?.rows.length ? list(answer, wanted[place]) : null)).filter(Boolean);
  return nodes.length ? [element("div", [["class", "wall-lists"]], ...nodes)] : null;
};

function list({ rows, total }, [by, title, measure]) {
  const most = Math.max(...rows.map((row) => valueOf(row, measure)), 1);
  return element("section", [], element("h3", [], title), element("ol", [], ...rows.map((row) => {
    const value = valueOf(row, measure);
    const bar = element("span", [["class", "wall-bar"]]);
    bar.style.width = `${(100 * value) / most}%`;
    return element("li", [], bar, element("bdi", [], row.key === null ? "(none)" : nameOf(by, row.key)), element("strong", [], count(value)),
      element("span", [["class", "wall-share"]], total ? share(value / total) : ""));
  })));
}

async function proofs(state, signal) {
  const { proofs: hours } = await get("proofs", rangeOf(state), signal);
  if (!hours.length) return null;
  const names = ["verified", "sealed", "open", "drifted", "damaged", "broken"];
  return [element("ul", [["class", "wall-figures"]], ...names.map((name) => [name, hours.filter((hour) => hour.state === name).length])
    .filter(([name, amount]) => amount || name === "verified")
    .map(([name, amount]) => element("li", [["class", `wall-${name}`]], element("span", [["class", "wall-name"]], name), element("strong", [], count(amount)),
      element("span", [["class", "wall-change"]], "hours"))))];
}

const titleOf = (metric) => find(`card-${metric}`).querySelector(".card-name").textContent;

// title: a text, or one by the state. needsKey: share links do not show it.
export const PICTURES = [
  { title: "At a glance", read: numbers },
  { title: ({ metric }) => `${titleOf(metric)} over time`, read: chart },
  { title: "Pages and sources", read: lists(["properties.path", "Pages", "visitors"], ["properties.$source", "Sources", "visitors"]) },
  { title: "Places and devices", read: lists(["properties.$country", "Countries", "visitors"], ["properties.$browser", "Browsers", "visitors"]) },
  { title: "Events and tools", read: lists(["event_type", "Events", "events"], ["tool_name", "Tools", "events"]) },
  { title: "Proofs", read: proofs, needsKey: true },
];
