// The overview reads each of its parts on its own.

import { Gone, Refused, get } from "../core/api.js";
import * as bars from "./top_keys.js";
import * as cards from "./metric_cards.js";
import * as chart from "./chart.js";
import * as empty from "./empty_state.js";
import { find, hide, write } from "../core/dom.js";
import * as proofs from "./proofs.js";
import * as verdict from "../core/proof_verdict.js";
import * as recent from "./latest_events.js";
import { hoursOf, hoursShown, intervalOf, isFiltered, rangeOf, scopeOf } from "../core/state.js";
import { zone } from "../core/format.js";

const TOP_ACTIONS = "10";
const TOP_GROUPS = "5";
// Statuses of questions about raw events: they are gone or too many; too many ask about them.
const UNCOUNTABLE = 422;
const BUSY = 503;
const UNDIVIDED = ["event_types", "new_users"];
let uncountable = "";
const PANELS = ["cards", "chart", "proofs", "tools", "risks", "types", "actions", "recent"];

export function start(page, { chooseMetric, chooseBy, openTimeline }) {
  cards.start(chooseMetric);
  chart.start(chooseBy);
  proofs.start(page);
  recent.start(openTimeline);
}

// Label the panels for a new state, and dim their old contents until the answers arrive.
export function frame(state) {
  cards.press(state.metric);
  chart.frame(cards.title(state.metric), state.options.overview.by, !UNDIVIDED.includes(state.metric));
  proofs.frame(hoursShown(state));
  for (const panel of PANELS) find(panel).classList.add("stale");
}

// Read every part. filter(name, key): a row was chosen. Returns ok, refused, signed-out, gone or aborted for each part.
export function read(asked, signal, filter) {
  const scope = scopeOf(asked);
  const compare = ["week", "year"].includes(asked.compare) ? asked.compare : "previous";
  const by = UNDIVIDED.includes(asked.metric) ? "" : asked.options.overview.by;
  const interval = coarser(intervalOf(asked));
  const trend = () => {
    const { metric } = asked;
    if (!cards.isWhole(metric, asked)) return unanswered(metric);
    const divided = by ? [["by", by], ["top", TOP_GROUPS]] : [];
    const query = [...scope, ["metric", metric], ["tz", zone], ["compare", by ? "none" : asked.compare], ...divided];
    const ask = (interval) => get("trends", [...query, ["interval", interval]], signal);
    return part(["chart"], signal, "trends", metric === "new_users" ? ask(interval) : finest(ask, asked),
      (answer) => chart.show(answer, cards.title(metric)));
  };
  const totals = [...scope, ["compare", compare], ["interval", interval], ["tz", zone]];
  let explains = false;
  return Promise.all([
    part(["cards", "tools", "risks", "types"], signal, "summary", get("summary", totals, signal), (answer) => {
      cards.showTotals(answer, compare, asked);
      cards.showCourses(answer.buckets, asked);
      showBars(asked, answer, filter);
      explains = empty.show(answer, isFiltered(asked));
    }).then((outcome) => (explains ? part(["chart"], signal, "client", get("client", [], signal), empty.explain) : outcome)),
    trend(),
    part(["actions"], signal, "top", get("top", [...scope, ["by", "action"], ["limit", TOP_ACTIONS]], signal),
      (answer) => showBar("actions", "action", answer.rows, answer, asked, filter)),
    proofsOf(asked, signal),
    part(["recent"], signal, "track", get("track", [...scope, ["limit", String(recent.ROWS)], ["total", "0"]], signal),
      (answer) => recent.show(answer.events, JSON.stringify(scope))),
  ]);
}

const coarser = (interval) => (interval === "minute" ? "quarter" : interval);

// Minutes are counted from raw events. Quarters take their place when those events are gone or too many; then the page
// does not ask for minutes of that range again.
async function finest(ask, asked) {
  const interval = intervalOf(asked);
  const range = JSON.stringify(rangeOf(asked));
  if (interval !== "minute" || range === uncountable) return ask(coarser(interval));
  try {
    const answer = await ask(interval);
    if (!cards.noteOf(answer, hoursOf(asked))) return answer;
    uncountable = range;
  } catch (error) {
    if (!(error instanceof Refused && [UNCOUNTABLE, BUSY].includes(error.status))) throw error;
    if (error.status === UNCOUNTABLE) uncountable = range;
  }
  return ask(coarser(interval));
}

// Read the proofs alone, for the header of another view.
export const readProofs = (asked, signal) => Promise.all([proofsOf(asked, signal)]);

async function proofsOf(asked, signal) {
  const outcome = await part(["proofs"], signal, "proofs", get("proofs", rangeOf(asked), signal), (answer) => {
    proofs.show(answer);
    if (!verdict.show(answer)) return;
    cards.markWrong();
    chart.markWrong();
  });
  if (outcome === "refused") verdict.fail();
  return outcome;
}

export const leadToProof = proofs.lead;

// New users of filtered events are not known, so the page does not ask.
function unanswered(metric) {
  fail("chart", "trends", `${cards.title(metric)} cannot be filtered. Remove the filters, or choose another card.`);
  chart.clear();
  find("chart").classList.remove("stale");
  return "ok";
}

async function part(panels, signal, path, asked, draw) {
  try {
    const answer = await asked;
    if (signal.aborted) return "aborted";
    measured(path, () => draw(answer));
    for (const panel of panels) find(panel).classList.remove("stale");
    mend(panels, path);
    return "ok";
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return "aborted";
    if (error instanceof Gone) return "gone";
    if (error.status === 401) return "signed-out";
    for (const panel of panels) fail(panel, path, `Could not load: ${error.message}`);
    return "refused";
  }
}

function measured(path, draw) {
  const start = performance.now();
  draw();
  // Keep only the last measure of each, because a page on a wall draws for days.
  performance.clearMeasures(`draw ${path}`);
  performance.measure(`draw ${path}`, { start });
}

const faultOf = (panel) => find(panel).querySelector(".fault");

function fail(panel, path, message) {
  const fault = faultOf(panel);
  if (!fault) return write(find("cards-note"), message);
  fault.dataset.of = path;
  write(fault, message);
  hide(fault, false);
}

function mend(panels, path) {
  for (const fault of panels.map(faultOf)) if (fault?.dataset.of === path) hide(fault, true);
}

function showBars(asked, answer, filter) {
  showBar("tools", "tool_name", answer.tool_usage, answer, asked, filter);
  // Most products have no risk modes.
  hide(find("risks"), !answer.risk_distribution.length && !asked.filters.has("risk_mode"));
  showBar("risks", "risk_mode", answer.risk_distribution, answer, asked, filter);
  showBar("types", "event_type", answer.event_types, answer, asked, filter);
}

function showBar(id, name, rows, answer, asked, filter) {
  bars.show(id, rows, cards.noteOf(answer, hoursOf(asked)), asked.filters.get(name), (key) => filter(name, key));
}
