// The totals of the range, each with its change and its course; the pressed one is the chart's metric.

import { element, find, hide, write } from "../core/dom.js";
import { METRICS, VISIT_METRICS } from "../core/definitions.js";
import { now } from "../core/clock.js";
import { CHOSEN, HOUR, hoursOf, isFiltered, rangeShown } from "../core/state.js";
import { NOTHING, change, hourText, number } from "../core/format.js";
import { hasBegun } from "./chart_series.js";
import { wrongWords } from "../core/proof_verdict.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 28;
const AGAINST = new Map([["previous", "against the period before"], ["week", "against the same weekdays"],
  ["year", "against the same weekdays a year ago"], [CHOSEN, "against the range that you chose"]]);
const CARDS = [...METRICS, ...VISIT_METRICS];
// Numbers that are better when they are lower.
const LOWER_IS_BETTER = ["bounce_rate"];
const SO_FAR = "so far";
// The answer that the cards show.
let shown = null;
// What the changes are against, and from when on the totals and the numbers of visits are counted, where that is not the whole range.
let against = "";
let note = "";
let visitsNote = "";
const UNFILTERED = ["new_users"];

const card = (metric) => find(`card-${metric}`);
const part = (metric, name) => card(metric).querySelector(`.card-${name}`);

export const title = (metric) => part(metric, "name").textContent;

export function start(choose) {
  for (const metric of CARDS) {
    card(metric).addEventListener("click", () => choose(metric));
    card(metric).append(element("span", [["class", "card-wrong"], ["hidden", ""]], element("span", [["aria-hidden", "true"]], "!"),
      element("span", [["class", "unseen"]])));
  }
}

export function press(chosen) {
  for (const metric of CARDS) card(metric).setAttribute("aria-pressed", String(metric === chosen));
}

export function showTotals(answer, compared, state) {
  for (const metric of METRICS) {
    const value = answer.totals[metric];
    write(part(metric, "value"), number(metric, value));
    const by = isComparable(answer.compare, state) ? change(value, answer.compare.totals[metric]) : null;
    showChange(metric, by, compared, otherwise(metric, value, answer.compare, state));
  }
  against = isOneUnfinished(state) || !answer.compare ? "" : againstText(compared, answer.compare.data_from);
  note = noteOf(answer, hoursOf(state));
  shown = answer;
  markWrong();
}

// waits: whether these cards show another question, until they are answered.
export const dim = (names, waits) => names.forEach((name) => card(name).classList.toggle("stale", waits));

// The numbers of visits. answer: of `GET /api/analytics/visits`.
export function showVisits(answer, compared, state) {
  for (const metric of VISIT_METRICS) {
    write(part(metric, "value"), number(metric, answer[metric]));
    const by = isComparable(answer.compare, state) ? change(answer[metric], answer.compare[metric]) : null;
    showChange(metric, by, compared, isOneUnfinished(state) ? SO_FAR : "no earlier data");
  }
  noteVisits(isCut(answer, hoursOf(state)) ? `Visits are counted from raw events, kept since ${hourText(answer.from)}.` : "");
}

export function failVisits() {
  for (const metric of VISIT_METRICS) {
    write(part(metric, "value"), NOTHING);
    showChange(metric, null, "", "could not be loaded");
  }
  noteVisits("");
}

function noteVisits(words) {
  visitsNote = words;
  markWrong();
}

// Mark the totals that stand on wrong hours: all of them, because each counts every hour of the range.
export function markWrong() {
  if (!shown) return;
  const { from, to, source, compare } = shown;
  const words = wrongWords(from, to, source);
  const before = compare ? wrongWords(compare.from, compare.to, source) : "";
  for (const metric of METRICS) {
    const mark = part(metric, "wrong");
    hide(mark, !words);
    mark.title = words;
    write(mark.lastElementChild, words);
  }
  const doubts = [words && `Each total ${words}.`, before && `The period before ${before}.`].filter(Boolean).join(" ");
  find("cards-note").replaceChildren(element("strong", [["class", "doubt"]], doubts), doubts ? " " : "",
    [note || visitsNote, against].filter(Boolean).join(" ") || "\u00a0");
}

const againstText = (compared, dataFrom) => (dataFrom
  ? `The first event came on ${hourText(dataFrom)}, within the time to compare with.` : `Changes are ${AGAINST.get(compared)}.`);

// The words in place of a change.
function otherwise(metric, value, before, state) {
  if (value === null) return isWhole(metric, state) ? "unknown" : "cannot be filtered";
  if (isOneUnfinished(state)) return SO_FAR;
  if (before?.data_from) return "earlier data partial";
  return before?.totals[metric] === 0 ? "none before" : "no earlier data";
}

// Only the whole log knows who is new.
export const isWhole = (metric, state) => !UNFILTERED.includes(metric) || !isFiltered(state);

// An hour that is not over cannot be compared with a whole one.
const isOneUnfinished = (state) => hoursOf(state) <= 1 && rangeShown(state)[1] > now();

// Whether a number can be compared. compare: the numbers before. A part of a range is not compared with a whole one.
export const isComparable = (compare, state) => Boolean(compare) && !compare.data_from && !isOneUnfinished(state);

function showChange(metric, by, compared, instead) {
  const place = part(metric, "change");
  const said = by ? by.seen : instead;
  if (place.dataset.said === said + compared) return;
  place.dataset.said = said + compared;
  place.title = by ? `${by.words} ${AGAINST.get(compared)}` : "";
  place.dataset.sense = by?.sense ? senseOf(metric, by.sense) : "";
  if (!by) return place.replaceChildren(said);
  const seen = document.createElement("span");
  seen.setAttribute("aria-hidden", "true");
  seen.textContent = said;
  const heard = document.createElement("span");
  heard.className = "unseen";
  heard.textContent = place.title;
  place.replaceChildren(seen, heard);
}

export const senseOf = (metric, sense) => (LOWER_IS_BETTER.includes(metric) === (sense === "down") ? "better" : "worse");

const isCut = ({ source, from, to }, hours) => source !== "rollups" && Date.parse(to) - Date.parse(from) < hours * HOUR;

// A note when less is kept than was asked for, otherwise empty.
export const noteOf = (answer, hours) => (isCut(answer, hours) ? `From raw events, kept since ${hourText(answer.from)}.` : "");

export function showCourses(buckets, state) {
  for (const metric of METRICS) {
    const known = isWhole(metric, state) ? buckets : [];
    showCourse(metric, known.map(({ start, totals }) => ({ start, value: totals[metric] })));
  }
}

function showCourse(metric, buckets) {
  const values = buckets.filter(hasBegun).map((bucket) => bucket.value ?? 0);
  const most = Math.max(...values, 1e-9);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH;
  const points = values.map((value, place) => `${(place * step).toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`);
  if (points.length === 1) points.push(`${WIDTH},${points[0].split(",")[1]}`);
  const svg = card(metric).querySelector("svg");
  const line = svg.firstElementChild ?? svg.appendChild(document.createElementNS(SVG, "polyline"));
  line.setAttribute("points", points.join(" "));
}
