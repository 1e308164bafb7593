// Joins the parts of the dashboard. No other module does.

import { useSite } from "./api.js";
import * as connection from "./connection_status.js";
import * as drawer from "./drawer.js";
import { find, hide } from "./dom.js";
import * as filters from "./filter_chips.js";
import { Live } from "./live.js";
import * as overview from "../overview/overview.js";
import * as ranges from "./range_picker.js";
import * as verdict from "./proof_verdict.js";
import { Rounds } from "./refresh.js";
import * as signInPrompt from "./sign_in_prompt.js";
import * as shortcuts from "./shortcuts.js";
import * as siteChoice from "./site_choice.js";
import { CHOSEN, HOUR, VIEWS, address, hoursShown, read, withOption } from "./state.js";
import * as timelines from "./timelines.js";
import * as views from "./views.js";
import * as wall from "./wall.js";

const TEN_SECONDS = 10_000;
const ONE_MINUTE = 60_000;
const DAY = 24 * HOUR;
const OVERVIEW = VIEWS[0];

let state = read();
let retry = null;
const rounds = new Rounds(round);
const live = new Live(freshen, (said) => connection.become(said));
// When each view last got an answer.
const answeredAt = new Map();
// For parts that ask by themselves.
const page = { state: () => state, change, needSignIn: askToSignIn, answered, doubt: freshen };

// The questions of other views take longer, so those wait for the visitor. The proofs tell whether the server is there.
async function round(signal) {
  const outcomes = await (state.view === OVERVIEW ? overview.read(state, signal) : overview.readProofs(state, signal));
  if (!signal.aborted) settle(outcomes);
}

function settle(outcomes) {
  if (outcomes.includes("signed-out")) return askToSignIn();
  if (outcomes.includes("gone")) return lost();
  if (state.view === OVERVIEW && outcomes.includes("ok")) answered();
  if (connection.regain()) {
    live.start();
    views.again(page);
  }
  if (outcomes.includes("refused")) setTimeout(freshen, TEN_SECONDS);
  document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown ?? 0) + 1);
}

function answered() {
  answeredAt.set(state.view, new Date());
}

function lost() {
  connection.lose(answeredAt.get(state.view) ?? null);
  clearTimeout(retry);
  retry = setTimeout(freshen, 2_000);
}

function freshen() {
  if (!signInPrompt.isOpen()) rounds.soon();
}

function askToSignIn() {
  live.stop();
  rounds.stop();
  connection.become("signed-out");
  timelines.show(page, null);
  signInPrompt.prompt();
}

function filter(name, value) {
  const chosen = new Map(state.filters);
  if (value === null || value === "") chosen.delete(name);
  else chosen.set(name, value);
  change({ filters: chosen });
}

function change(parts) {
  const next = { ...state, ...parts };
  if (address(next) !== location.pathname + location.search) history.pushState(null, "", address(next));
  become(next);
}

// A timeline opens and closes over a view that stays as it is.
function become(next) {
  if (next.site !== state.site) return location.reload();
  const seen = (shown) => address({ ...shown, timeline: null });
  const isBehind = seen(next) === seen(state) && JSON.stringify(next.timeline) !== JSON.stringify(state.timeline);
  state = next;
  if (isBehind) return timelines.show(page, state.timeline);
  showControls();
  show();
}

function showControls() {
  ranges.show(state);
  filters.show(state, change);
  views.showNavigation(state);
  drawer.refresh();
}

function show() {
  const isOverview = state.view === OVERVIEW;
  for (const id of ["overview", "compare-choice"]) hide(find(id), !isOverview);
  hide(find("against-choice"), !isOverview || state.compare !== CHOSEN);
  // These views are of all hours, and of none. The header tells of the range.
  document.documentElement.dataset.opened = state.view;
  hide(document.querySelector(".controls"), ["proofs", "components"].includes(state.view));
  if (isOverview) overview.frame(state);
  rounds.now();
  views.show(state, page);
  timelines.show(page, state.timeline);
}

function begin() {
  signInPrompt.close();
  if (wall.isWanted()) return wall.open({ state: () => state, title: state.site, needSignIn: askToSignIn });
  live.start();
  show();
  siteChoice.read();
}

useSite(state.site);
siteChoice.start(() => state);
ranges.start(change, () => state);
views.start(change, () => state);
drawer.start(page);
// An hour outside of the range is shown with its UTC day.
verdict.start((hour) => {
  const [from, to] = hoursShown(state);
  const since = Math.floor(hour / DAY) * DAY;
  const range = hour < from || hour >= to ? { range: "custom", since, until: since + DAY } : {};
  change({ view: OVERVIEW, ...range });
  overview.leadToProof(hour);
});
overview.start(page, {
  chooseMetric: (metric) => change({ metric }),
  chooseRange: (since, until) => change({ range: "custom", since, until }),
  chooseBy: (by) => change(withOption(state, "by", by)),
  openTimeline: (of, id) => change({ timeline: { of, id } }),
});
signInPrompt.start(begin);
find("demo-mode").addEventListener("change", (event) => filter("demo_mode", event.target.value));
addEventListener("popstate", () => become(read()));
// A hidden page holds no stream, because browsers allow six connections to a server over all pages.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) live.stop();
  else if (!signInPrompt.isOpen() && !wall.isWanted()) live.start();
});
if (!wall.isWanted()) {
  shortcuts.start(page, drawer.press);
  setInterval(freshen, ONE_MINUTE);
}
showControls();
begin();
