// The overview reads each of its parts on its own.

import { Gone, Refused, get } from "../core/api.js";
import * as cards from "./metric_cards.js";
import * as chart from "./chart.js";
import * as empty from "./empty_state.js";
import * as notes from "./chart_notes.js";
import * as panels from "./panels.js";
import { find, hide, write } from "../core/dom.js";
import * as proofs from "./proofs.js";
import * as verdict from "../core/proof_verdict.js";
import * as recent from "./latest_events.js";
import * as visits from "./visits.js";
import { VISIT_METRICS } from "../core/definitions.js";
import { CHOSEN, comparisonOf, hoursOf, hoursShown, intervalOf, isFiltered, rangeOf, scopeOf } from "../core/state.js";
import { zone } from "../core/format.js";

const TOP_GROUPS = "5";
// Statuses of questions about raw events: they are gone or too many; too many ask about them.
const UNCOUNTABLE = 422;
const BUSY = 503;
const UNDIVIDED = ["event_types", "new_users", ...VISIT_METRICS];
let uncountable = "";
const PANELS = ["cards", "chart", "proofs", "recent"];

export function start(page, { chooseMetric, chooseBy, chooseRange, openTimeline }) {
  cards.start(chooseMetric);
  chart.start(chooseBy, chooseRange);
  panels.start(page);
  proofs.start(page);
  recent.start(openTimeline);
}

// Label the panels for a new state, and dim their old contents until the answers arrive.
export function frame(state) {
  cards.press(state.metric);
  chart.frame(cards.title(state.metric), state.options.overview.by, !UNDIVIDED.includes(state.metric));
  proofs.frame(hoursShown(state));
  for (const panel of PANELS) find(panel).classList.add("stale");
  panels.frame();
  if (panels.isWeb()) visits.frame();
}

// Read every part. Returns ok, refused, signed-out, gone or aborted for each part.
export async function read(asked, signal) {
  const scope = scopeOf(asked);
  const summary = summaryOf(asked, signal);
  const web = panels.isWeb() ? visits.read(asked, signal) : summary.then(() => (panels.isWeb() ? newlyWeb(asked, signal) : []));
  const outcomes = await Promise.all([
    summary,
    trendOf(asked, signal),
    panels.read(asked, signal, noteOf(asked)),
    web,
    proofsOf(asked, signal),
    part(["recent"], signal, "track", get("track", [...scope, ["limit", String(recent.ROWS)], ["total", "0"]], signal),
      (answer) => recent.show(answer.events, JSON.stringify(scope))),
    notes.read(signal, chart.redraw),
  ]);
  return outcomes.flat();
}

async function summaryOf(asked, signal) {
  const compare = ["week", "year", CHOSEN].includes(asked.compare) ? asked.compare : "previous";
  const query = [...scopeOf(asked), ...comparisonOf(asked, compare), ["interval", coarser(intervalOf(asked))], ["tz", zone]];
  let explains = false;
  const outcome = await part(["cards"], signal, "summary", get("summary", query, signal), (answer) => {
    panels.learn(answer.event_types);
    cards.showTotals(answer, compare, asked);
    cards.showCourses(answer.buckets, asked);
    panels.showSummary(answer, cards.noteOf(answer, hoursOf(asked)));
    explains = empty.show(answer, isFiltered(asked));
  });
  return explains ? part(["chart"], signal, "client", get("client", [], signal), empty.explain) : outcome;
}

const noteOf = (asked) => (answer) => cards.noteOf(answer, hoursOf(asked));

// The first answer has told that the site has page views.
const newlyWeb = async (asked, signal) =>
  (await Promise.all([visits.read(asked, signal), panels.read(asked, signal, noteOf(asked), true)])).flat();

function trendOf(asked, signal) {
  const { metric } = asked;
  if (!cards.isWhole(metric, asked)) return unanswered(metric);
  const by = UNDIVIDED.includes(metric) ? "" : asked.options.overview.by;
  const divided = by ? [["by", by], ["top", TOP_GROUPS]] : [];
  const compared = by ? [["compare", "none"]] : comparisonOf(asked);
  const query = [...scopeOf(asked), ["metric", metric], ["tz", zone], ...compared, ...divided];
  const ask = (interval) => get("trends", [...query, ["interval", interval]], signal);
  return part(["chart"], signal, "trends", metric === "new_users" ? ask(coarser(intervalOf(asked))) : finest(ask, asked),
    (answer) => chart.show(answer, cards.title(metric)));
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

async function part(parts, signal, path, asked, draw) {
  try {
    const answer = await asked;
    if (signal.aborted) return "aborted";
    measured(path, () => draw(answer));
    for (const panel of parts) find(panel).classList.remove("stale");
    mend(parts, path);
    return "ok";
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return "aborted";
    if (error instanceof Gone) return "gone";
    if (error.status === 401) return "signed-out";
    for (const panel of parts) fail(panel, path, `Could not load: ${error.message}`);
    if (path === "summary") panels.failSummary(`Could not load: ${error.message}`);
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

function mend(parts, path) {
  for (const fault of parts.map(faultOf)) if (fault?.dataset.of === path) hide(fault, true);
}
