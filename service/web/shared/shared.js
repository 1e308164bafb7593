// The page of a share link: totals, chart and lists of one view. The service adds the range and the filters of the link.

import { Gone, get, useLink } from "../core/api.js";
import { now } from "../core/clock.js";
import { VISIT_METRICS } from "../core/definitions.js";
import { element, find, hide, write } from "../core/dom.js";
import * as wall from "../core/wall.js";
import { hourText, lastText, zone } from "../core/format.js";
import { HOUR, hoursOf, intervalOf, read } from "../core/state.js";
import * as chart from "../overview/chart.js";
import * as cards from "../overview/metric_cards.js";
import * as panels from "../overview/panels.js";
import * as visits from "../overview/visits.js";

const ONE_MINUTE = 60_000;
const AGAIN_MS = 5_000;
const GROUPS = "5";
const UNDIVIDED = ["event_types", "new_users", ...VISIT_METRICS];
const IS_WALL = new URLSearchParams(location.search).get("wall") === "1";
let view = null;
let metric = "events";
let by = "";
let asking = new AbortController();

async function begin() {
  const prefix = new URLSearchParams(location.search).get("link") ?? "";
  useLink(`${prefix}_${location.hash.slice(1)}`);
  try {
    view = await get("shared", [], asking.signal);
  } catch (error) {
    return fail(error);
  }
  hide(find("gone"), true);
  const filters = Object.entries(view.filters).map(([name, value]) => (name === "where" ? value : `${name} = ${value}`));
  write(find("shared-title"), view.label || view.site);
  write(find("shared-about"), [rangeText(), ...filters].join(", "));
  document.title = `${view.label || view.site} – hourledger`;
  if (IS_WALL) return wall.open({ state: stateOf, title: view.label || view.site, range: rangeText });
  panels.start({ state: stateOf, doubt: show });
  show();
  setInterval(() => { if (!document.hidden) show(); }, ONE_MINUTE);
}

// The state that parts of the dashboard draw by.
function stateOf() {
  const until = view.to ? Date.parse(view.to) : (Math.floor(now() / HOUR) + 1) * HOUR;
  const since = view.from ? Date.parse(view.from) : until - view.hours * HOUR;
  return { ...read(""), site: `shared ${view.site}`, isShared: true, compare: "none", range: "custom", since, until, metric, filters: new Map(Object.entries(view.filters)) };
}

function rangeText() {
  return view.hours ? `The ${lastText(view.hours)}` : `${hourText(view.from)} to ${hourText(view.to)}`;
}

async function show() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const state = stateOf();
  const isDivisible = !UNDIVIDED.includes(metric);
  cards.press(metric);
  chart.frame(cards.title(metric), by, isDivisible);
  const interval = intervalOf(state) === "minute" ? "quarter" : intervalOf(state);
  const course = [["interval", interval], ["tz", zone]];
  const trend = [...course, ["metric", metric], ...(by && isDivisible ? [["by", by], ["top", GROUPS]] : [])];
  try {
    const [summary, trends] = await Promise.all([
      get("summary", course, signal), cards.isWhole(metric, state) ? get("trends", trend, signal) : null,
    ]);
    if (signal.aborted) return;
    draw(state, summary, trends);
    const note = (answer) => cards.noteOf(answer, hoursOf(state));
    await Promise.all([panels.read(state, signal, note), ...(panels.isWeb() ? [visits.readVisits(state, signal)] : [])]);
    if (!signal.aborted) drawn();
  } catch (error) {
    if (error.name !== "AbortError" && !signal.aborted) fail(error);
  }
}

function draw(state, summary, trends) {
  hide(find("gone"), true);
  cards.showTotals(summary, "previous", state);
  cards.showCourses(summary.buckets, state);
  if (trends) chart.show(trends, cards.title(metric));
  else chart.clear();
  const note = cards.noteOf(summary, hoursOf(state));
  panels.learn(summary.event_types);
  panels.frame();
  panels.showSummary(summary, note);
}

function drawn() {
  document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown ?? 0) + 1);
}

function fail(error) {
  const isGone = error instanceof Gone;
  // A proxy answers for a service that is away.
  const mayComeBack = isGone || error.status >= 500;
  const words = isGone ? "The server does not answer." : `This view cannot be shown: ${error.message}.`;
  if (view || mayComeBack) {
    write(find("gone"), mayComeBack ? `${words} Trying again …` : words);
    hide(find("gone"), false);
    if (!view) setTimeout(begin, AGAIN_MS);
    return;
  }
  find("dashboard").replaceChildren(element("section", [["class", "panel"]], element("h2", [], "Nothing to see here"), element("p", [], words)));
}

cards.start((chosen) => { metric = chosen; show(); });
chart.start((chosen) => { by = chosen; show(); });
write(find("zone"), `Times in ${zone}`);
begin();
