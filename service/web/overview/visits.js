// The numbers of visits, and who is there now.

import { Gone, Refused, get } from "../core/api.js";
import { find, write } from "../core/dom.js";
import { VISIT_METRICS } from "../core/definitions.js";
import { NOTHING, count, counted } from "../core/format.js";
import { CHOSEN, comparisonOf, filtersOf, scopeOf } from "../core/state.js";
import * as cards from "./metric_cards.js";

const BUSY = 503;
// The same question reads raw events, so it waits this long, however many events come meanwhile.
const FRESH_MS = 10_000;
// The cards of each path.
const CARDS = { visits: VISIT_METRICS, now: ["now"] };
// The last question of each path, and when it was answered.
const answered = new Map();

// The cards are of another question until they are read.
export const frame = () => Object.values(CARDS).forEach((names) => cards.dim(names, true));

// Returns the outcome of each question.
export const read = (asked, signal) => Promise.all([readVisits(asked, signal), ask("now", filtersOf(asked), signal, showNow, failNow)]);

export function readVisits(asked, signal) {
  const compare = ["week", "year", CHOSEN].includes(asked.compare) ? asked.compare : "previous";
  const query = [...scopeOf(asked), ...(asked.isShared ? [] : comparisonOf(asked, compare))];
  return ask("visits", query, signal, (answer) => cards.showVisits(answer, compare, asked), cards.failVisits);
}

const part = (name) => find("card-now").querySelector(`.card-${name}`);

function failNow() {
  write(part("value"), NOTHING);
  write(part("change"), "could not be loaded");
  write(part("page"), "\u00a0");
}

function showNow({ minutes, visitors, pages }) {
  write(part("value"), count(visitors));
  write(part("change"), `in the last ${counted(minutes, "minute")}`);
  write(part("page"), pages.length ? `most on ${pages[0].path}` : "\u00a0");
  find("card-now").title = pages.map(({ path, visitors: there }) => `${path}: ${count(there)}`).join("\n");
  find("card-now").dataset.there = visitors ? "yes" : "";
}

async function ask(path, query, signal, draw, fail) {
  const asked = JSON.stringify(query);
  const before = answered.get(path);
  const told = (outcome) => {
    cards.dim(CARDS[path], false);
    return outcome;
  };
  if (before?.asked === asked && performance.now() - before.at < FRESH_MS) return told("ok");
  try {
    const answer = await get(path, query, signal);
    if (signal.aborted) return "aborted";
    answered.set(path, { asked, at: performance.now() });
    draw(answer);
    return told("ok");
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return "aborted";
    if (error instanceof Gone) return "gone";
    if (error.status === 401) return "signed-out";
    if (!(error instanceof Refused)) throw error;
    // Numbers that are a little old are better than none while the service has no room.
    if (error.status === BUSY && before?.asked === asked) return told("refused");
    answered.delete(path);
    fail();
    return told("refused");
  }
}
