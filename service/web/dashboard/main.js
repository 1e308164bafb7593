// The dashboard: reads what the state asks for, shows it, and keeps it fresh. Each panel reads and fails by itself.

import { keepToken, read, Refused, token } from "./api.js";
import { showBars } from "./bars.js";
import { makeCards, markCard, showLine, showTotals } from "./cards.js";
import { noteOf, showChart } from "./chart.js";
import { makeControls, markControls } from "./controls.js";
import { $, element, number, secondText } from "./dom.js";
import { showLatest } from "./latest.js";
import { follow } from "./live.js";
import { filterQuery, hoursBack, METRICS, rangeQuery, reread, state, trendQuery } from "./state.js";
import { showStrip } from "./strip.js";

// The least time between two reads, and how much longer it is when reading takes long.
const PAUSE = 2_000;
const SHARE = 5;
const WAYS = new Map([["live", "Live"], ["polling", "Every 10 s"], ["waiting", "Waiting for the service"]]);

let reading = null; // the read under way, aborted when something else is asked for
let again = false; // the log moved while reading
let next = 0; // when the next read may begin
let timer = null;
let lastRead = null;
let way = "live";

function panels() {
  const compared = { compare: state.compare };
  const range = { ...rangeQuery(), ...filterQuery() };
  const latest = { hours: hoursBack(), limit: 20, total: 0, ...filterQuery() };
  const lines = [...METRICS.keys()].map((metric) => ["cards", "trends", { metric, ...trendQuery(), ...compared }, (answer) => {
    showLine(metric, answer.buckets);
    if (metric === state.metric) showChart(answer);
  }]);
  return [
    ["cards", "summary", { ...range, ...compared }, (answer) => {
      showTotals(answer);
      showBars("tools", "tool_name", answer.tool_usage, 0, changed);
      showBars("risks", "risk_mode", answer.risk_distribution, 0, changed);
      showBars("types", "event_type", answer.event_types, 0, changed);
      stand(answer);
    }],
    ...lines,
    ["strip", "proofs", rangeQuery(), showStrip],
    ["latest", "track", latest, (answer) => showLatest(answer, JSON.stringify(latest))],
    ["actions", "top", { by: "action", limit: 8, ...range }, (answer) => {
      showBars("actions", "action", answer.rows, answer.other, changed);
      $("actions").append(element("p", { class: "quiet" }, noteOf(answer)));
    }],
  ];
}

async function refresh() {
  clearTimeout(timer);
  timer = null;
  reading?.abort();
  const mine = (reading = new AbortController());
  again = false;
  const begun = performance.now();
  document.body.setAttribute("aria-busy", "true");
  const failures = await Promise.all(panels().map((panel) => fill(panel, mine.signal)));
  if (mine.signal.aborted) return;
  reading = null;
  document.body.removeAttribute("aria-busy");
  next = Date.now() + Math.max(PAUSE, SHARE * (performance.now() - begun));
  tell(failures.filter(Boolean));
  if (again) moved();
}

/** Read and show one panel; return what went wrong, for all of them or here. */
async function fill([id, path, query, render], signal) {
  try {
    const answer = await read(path, query, signal);
    if (!signal.aborted) render(answer);
    return null;
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof Refused && error.status !== 401 && id !== "cards") {
      $(id).replaceChildren(element("p", { class: "quiet" }, `This cannot be read now: ${error.message}.`));
    }
    return error;
  }
}

function tell(failures) {
  const refused = failures.some((error) => error.status === 401);
  const away = failures.find((error) => !(error instanceof Refused)) ?? failures.find((error) => error.status >= 500);
  $("token-form").hidden = !refused;
  $("numbers").hidden = refused;
  if (refused) return askForToken();
  const said = away ?? failures[0];
  if (!failures.length) lastRead = Date.now();
  $("trouble").hidden = !said;
  if (away) {
    const since = lastRead ? ` What you see is from ${secondText(lastRead)}.` : "";
    $("trouble").textContent = `The service does not answer as it should (${away.message}).${since} Trying again …`;
    timer ??= setTimeout(refresh, 3_000);
  } else if (said) $("trouble").textContent = said.message;
  standing();
}

function askForToken() {
  $("trouble").hidden = true;
  $("standing").textContent = "Locked";
  if (token() !== null) $("token-said").textContent = "That token is not the right one.";
  keepToken(null);
  if (document.activeElement?.id !== "token") $("token").focus();
}

let position = "";

function stand(answer) {
  const lag = answer.as_of.lag_events;
  position = `complete to position ${answer.as_of.positions.map(number).join(", ")}, ${lag ? `${number(lag)} events not folded yet` : "all folded"}`;
  $("first-event").hidden = answer.as_of.positions.some((at) => at > 0);
  standing();
}

function standing() {
  $("standing").dataset.way = way;
  if (position) $("standing").textContent = `${WAYS.get(way)} · ${position}`;
}

/** The log has moved: read anew, soon, unless that is under way. */
function moved() {
  if (reading) again = true;
  else timer ??= setTimeout(refresh, Math.max(next - Date.now(), 0));
}

/** Something else is to be shown: read it at once. */
function changed() {
  markControls(changed);
  markCard();
  refresh();
}

$("first-curl").textContent = `curl ${location.origin}/e --data '{"event_type": "page_viewed", "session_id": "s1",\n  "timestamp": "${new Date().toISOString()}"}'`;
$("first-script").textContent = `<script src="${location.origin}/h.js" defer></script>`;
makeCards(changed);
makeControls(changed);
const restart = follow(moved, (how) => { way = how; standing(); });
$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value);
  $("token").value = "";
  refresh().then(restart);
});
addEventListener("popstate", () => { reread(); changed(); });
changed();
