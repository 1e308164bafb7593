// The numbers of visits, and who is there now. Servers that cannot count them are asked once.

import { Gone, Refused, get } from "../core/api.js";
import { find, write } from "../core/dom.js";
import { VISIT_METRICS } from "../core/definitions.js";
import { NOTHING, count, counted } from "../core/format.js";
import { CHOSEN, comparisonOf, filtersOf, scopeOf } from "../core/state.js";
import * as cards from "./metric_cards.js";

const PAGE_VIEW = "page_viewed";
const CANNOT = [400, 404];
const BUSY = 503;
// The same question reads raw events, so it waits this long, however many events come meanwhile.
const FRESH_MS = 10_000;
// Outcomes that leave the cards as they are.
const UNTOLD = ["aborted", "gone", "signed-out"];
// The last question of each path, and when it was answered.
const answered = new Map();
// Paths that this server does not answer.
const missing = new Set();
// The page views of the last summary, for a server that counts no visits.
let viewed = null;

export function learn({ event_types: types }) {
  viewed = types.find(({ key, rest }) => key === PAGE_VIEW && !rest)?.events ?? null;
}

// The cards are of another question until they are read.
export function frame() {
  cards.dimVisits(true);
  find("card-now").classList.add("stale");
}

// Returns the outcome of each question.
export const read = (asked, signal) => Promise.all([readVisits(asked, signal), nowOf(asked, signal)]);

export async function readVisits(asked, signal) {
  const compare = ["week", "year", CHOSEN].includes(asked.compare) ? asked.compare : "previous";
  const query = [...scopeOf(asked), ...(asked.isShared ? [] : comparisonOf(asked, compare))];
  const outcome = await ask("visits", query, signal, (answer) => cards.showVisits(answer, compare, asked), cards.failVisits);
  if (!UNTOLD.includes(outcome)) cards.dimVisits(false);
  if (outcome !== "missing") return outcome;
  for (const metric of VISIT_METRICS) cards.showVisit(metric, metric === "page_views" ? viewed : undefined, undefined, compare, asked);
  return "ok";
}

async function nowOf(asked, signal) {
  const outcome = await ask("now", filtersOf(asked), signal, showNow, failNow);
  if (!UNTOLD.includes(outcome)) find("card-now").classList.remove("stale");
  if (outcome === "missing") write(part("change"), "needs a newer server");
  return outcome === "missing" ? "ok" : outcome;
}

const part = (name) => find("card-now").querySelector(`.card-${name}`);

function failNow() {
  write(part("value"), NOTHING);
  write(part("change"), "could not be loaded");
  write(part("page"), "\u00a0");
}

function showNow({ minutes, visitors, pages = [] }) {
  write(part("value"), visitors === undefined ? NOTHING : count(visitors));
  write(part("change"), `in the last ${counted(minutes, "minute")}`);
  write(part("page"), pages.length ? `most on ${pages[0].path}` : "\u00a0");
  find("card-now").title = pages.map(({ path, visitors: there }) => `${path}: ${count(there)}`).join("\n");
  find("card-now").dataset.there = visitors ? "yes" : "";
}

async function ask(path, query, signal, draw, fail) {
  if (missing.has(path)) return "missing";
  const asked = JSON.stringify(query);
  const before = answered.get(path);
  if (before?.asked === asked && performance.now() - before.at < FRESH_MS) return "ok";
  try {
    const answer = await get(path, query, signal);
    if (signal.aborted) return "aborted";
    answered.set(path, { asked, at: performance.now() });
    draw(answer);
    return "ok";
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return "aborted";
    if (error instanceof Gone) return "gone";
    if (error.status === 401) return "signed-out";
    if (!(error instanceof Refused)) throw error;
    // Numbers that are a little old are better than none while the service has no room.
    if (error.status === BUSY && before?.asked === asked) return "refused";
    answered.delete(path);
    if (!CANNOT.includes(error.status)) {
      fail();
      return "refused";
    }
    // A filter that cannot be read is refused like a path that is not known.
    if (error.status === 404) missing.add(path);
    return "missing";
  }
}
