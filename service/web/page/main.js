// Joins the parts of the dashboard; the only module that does.

import * as bars from "./bars.js";
import * as cards from "./cards.js";
import * as chart from "./chart.js";
import { Gone, get, token } from "./api.js";
import * as empty from "./empty.js";
import { find, hide, write } from "./elements.js";
import * as filters from "./filters.js";
import { Live } from "./live.js";
import * as proofs from "./proofs.js";
import * as ranges from "./ranges.js";
import * as recent from "./recent.js";
import { Rounds } from "./rounds.js";
import { METRICS, address, hoursOf, hoursShown, intervalOf, rangeOf, read } from "./state.js";
import * as tokenPrompt from "./token.js";
import { clockText, zone } from "./words.js";

const TOP_ACTIONS = "10";
const TEN_SECONDS = 10_000;
const ONE_MINUTE = 60_000;
const CONNECTIONS = new Map([
  ["loading", "Loading …"], ["live", "Live"], ["polling", "Every 10 seconds"], ["away", "The database does not answer"],
  ["gone", "The server does not answer"], ["token", "Waiting for the token"],
]);
const PANELS = ["cards", "chart", "proofs", "tools", "risks", "types", "actions", "recent"];

let state = read();
let shownAt = null;
let connection = "loading";
const rounds = new Rounds(round);
const live = new Live(() => rounds.soon(), (said) => { connection = said; showConnection(); });

function showConnection(name = find("gone").hidden ? connection : "gone") {
  find("connection").dataset.state = name;
  write(find("connection"), CONNECTIONS.get(name));
}

// Read all that is shown. A part that fails says so by itself; the others go on.
async function round(signal) {
  const asked = state;
  const scope = [...rangeOf(asked), ...asked.filters];
  const compare = asked.compare === "week" ? "week" : "previous";
  const trend = (metric) => part(["cards", ...(metric === asked.metric ? ["chart"] : [])], signal, "trends",
    [...scope, ["metric", metric], ["interval", intervalOf(asked)], ["tz", zone],
      ["compare", metric === asked.metric ? asked.compare : "none"]],
    (answer) => {
      cards.showCourse(metric, answer.buckets);
      if (metric === asked.metric) chart.show(answer, cards.title(metric));
    });
  const outcomes = await Promise.all([
    part(["cards", "tools", "risks", "types"], signal, "summary", [...scope, ["compare", compare]], (answer) => {
      cards.showTotals(answer, compare, hoursOf(asked));
      showBars(asked, answer);
      empty.show(answer.totals.events === 0, asked.filters.size > 0);
    }),
    ...[asked.metric, ...METRICS.filter((metric) => metric !== asked.metric)].map(trend),
    part(["actions"], signal, "top", [...scope, ["by", "action"], ["limit", TOP_ACTIONS]],
      (answer) => showBar("actions", "action", answer.rows, answer, asked)),
    part(["proofs"], signal, "proofs", rangeOf(asked), proofs.show),
    part(["recent"], signal, "track",
      [["hours", String(hoursOf(asked))], ["limit", String(recent.ROWS)], ["total", "0"], ...asked.filters],
      (answer) => recent.show(answer.events, JSON.stringify([...asked.filters, hoursOf(asked)]))),
  ]);
  if (!signal.aborted) settle(outcomes);
}

// Ask for one answer, and draw it. Returns ok, refused, token, gone or aborted.
async function part(panels, signal, path, parameters, draw) {
  try {
    const answer = await get(path, parameters, signal);
    if (signal.aborted) return "aborted";
    measured(path, () => draw(answer));
    for (const panel of panels) find(panel).classList.remove("stale");
    mend(panels, path);
    return "ok";
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return "aborted";
    if (error instanceof Gone) return "gone";
    if (error.status === 401) return "token";
    for (const panel of panels) fail(panel, path, error.message);
    return "refused";
  }
}

function measured(path, draw) {
  const start = performance.now();
  draw();
  // The last of each is kept: a page on a wall draws for days.
  performance.clearMeasures(`draw ${path}`);
  performance.measure(`draw ${path}`, { start });
}

const faultOf = (panel) => find(panel).querySelector(".fault");

function fail(panel, path, message) {
  const fault = faultOf(panel);
  if (!fault) return write(find("cards-note"), `Cannot be read now: ${message}`);
  fault.dataset.of = path;
  write(fault, `Cannot be read now: ${message}`);
  hide(fault, false);
}

function mend(panels, path) {
  for (const fault of panels.map(faultOf)) if (fault?.dataset.of === path) hide(fault, true);
}

function settle(outcomes) {
  if (outcomes.includes("token")) return askForToken();
  if (outcomes.includes("gone")) {
    const since = shownAt ? `What is shown is from ${clockText(shownAt)}. ` : "";
    write(find("gone"), `The server does not answer. ${since}Trying again …`);
    hide(find("gone"), false);
    write(find("announcement"), "The server does not answer.");
    setTimeout(() => rounds.soon(), 2_000);
    return showConnection("gone");
  }
  const wasGone = !find("gone").hidden;
  hide(find("gone"), true);
  if (wasGone) {
    write(find("announcement"), "The server answers again.");
    live.start();
  } else if (!shownAt) write(find("announcement"), "Loaded.");
  if (outcomes.includes("ok")) shownAt = new Date();
  if (outcomes.includes("refused")) setTimeout(() => rounds.soon(), TEN_SECONDS);
  document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown ?? 0) + 1);
  showConnection();
}

function askForToken() {
  live.stop();
  rounds.stop();
  connection = "token";
  showConnection();
  tokenPrompt.prompt(token() !== null);
}

function showBars(asked, answer) {
  showBar("tools", "tool_name", answer.tool_usage, answer, asked);
  showBar("risks", "risk_mode", answer.risk_distribution, answer, asked);
  showBar("types", "event_type", answer.event_types, answer, asked);
}

function showBar(id, name, rows, answer, asked) {
  bars.show(id, rows, cards.noteOf(answer, hoursOf(asked)), asked.filters.get(name), (key) => filter(name, key));
}

function filter(name, value) {
  const filters = new Map(state.filters);
  if (value === null || value === "") filters.delete(name);
  else filters.set(name, value);
  change({ filters });
}

function change(parts) {
  const next = { ...state, ...parts };
  if (address(next) !== location.pathname + location.search) history.pushState(null, "", address(next));
  become(next);
}

function become(next) {
  state = next;
  showControls();
  for (const panel of PANELS) find(panel).classList.add("stale");
  rounds.now();
}

function showControls() {
  ranges.show(state);
  filters.show(state.filters, (name) => filter(name, null));
  cards.press(state.metric);
  write(find("chart-title"), cards.title(state.metric));
  proofs.frame(hoursShown(state));
}

function begin() {
  tokenPrompt.close();
  live.start();
  rounds.now();
}

ranges.start(change, () => state);
cards.start((metric) => change({ metric }));
chart.start();
proofs.start();
recent.start();
tokenPrompt.start(begin);
find("demo-mode").addEventListener("change", (event) => filter("demo_mode", event.target.value));
addEventListener("popstate", () => become(read()));
// A hidden page holds no stream: browsers give all pages of a service six connections together.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) live.stop();
  else if (!tokenPrompt.isOpen()) live.start();
});
setInterval(() => { if (!tokenPrompt.isOpen()) rounds.soon(); }, ONE_MINUTE);
showControls();
begin();
