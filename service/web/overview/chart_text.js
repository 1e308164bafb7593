// A trend in words: the legend, the value at the pointer, and the table for screen readers.

import { element, find, write } from "../core/dom.js";
import { now } from "../core/clock.js";
import { colourOfGroup, hasBegun } from "./chart_series.js";
import { NOTHING, count, dayText, hourText, number } from "../core/format.js";
import { standsOnWrong, wrongWords } from "../core/proof_verdict.js";

const TITLE_LENGTH = 300;
const UNITS = new Map([["minute", "minute"], ["quarter", "quarter hour"], ["hour", "hour"], ["day", "day"]]);
// Why a comparison is unknown.
const REASONS = new Map([["not_kept", "no longer kept"], ["before_data", "before the first event"]]);
const BEFORE = "key before";
let drawn = "";

export const whenText = (interval, bucket) => (interval === "day" ? dayText(bucket.start) : hourText(bucket.start));

export function writeReadout(answer, place) {
  const bucket = answer.buckets[place];
  if (!bucket) return write(find("readout"), "\u00a0");
  const before = answer.compare?.[place];
  const unfinished = bucket.complete ? "" : `, ${whyPart(bucket)}`;
  const doubt = (each) => (standsOnWrong(each, answer.source) ? `, ${doubtOf(each, answer.source)}` : "");
  const than = before
    ? ` · before: ${number(answer.metric, before.value)}${inBrackets(REASONS.get(before.reason))}${doubt(before)}` : "";
  const parts = (answer.groups ?? []).map((group) => ` · ${group.key}: ${valueText(answer.metric, group.buckets[place])}`);
  write(find("readout"),
    `${whenText(answer.interval, bucket)}: ${valueText(answer.metric, bucket)}${unfinished}${doubt(bucket)}${than}${parts.join("")}`);
}

// focus(group): bring the lines of a group forward. before(isShown): show or hide the comparison; without a value, ask whether it is shown.
export function showLegend({ metric, interval, buckets, compare, groups, source }, focus, before) {
  const unit = UNITS.get(interval);
  const lines = groups ? [] : [["key", `by ${unit}`]];
  const parts = new Set(buckets.filter((bucket) => !bucket.complete && hasBegun(bucket)).map(whyPart));
  if (parts.size) lines.push(["key unfinished", `incomplete ${unit}: ${[...parts].join(", or ")}`]);
  if (buckets.some((bucket) => standsOnWrong(bucket, source))) lines.push(["key doubtful", "stands on a wrong hour"]);
  if (compare?.some(({ value }) => value !== null)) {
    const doubt = compare.some((bucket) => standsOnWrong(bucket, source)) ? ", stands on a wrong hour" : "";
    lines.push([BEFORE, `comparison, from ${dayText(compare[0].start)}${inBrackets(unknownWords(compare))}${doubt}`]);
  }
  const sums = (groups ?? []).map((group) => [group.key, metric === "events" ? sumOf(group) : null]);
  const now = JSON.stringify([lines, sums]);
  if (now === drawn && find("legend").children.length) return;
  drawn = now;
  find("legend").replaceChildren(
    ...sums.map(([key, sum], place) => groupItem(key, sum, place, focus)),
    ...lines.map(([name, text]) => (name === BEFORE ? comparisonItem(text, before) : element("li", [], element("span", [["class", name]]), text))));
}

function comparisonItem(text, before) {
  const button = element("button", [["type", "button"], ["class", "toggle"], ["aria-pressed", String(before())], ["title", "Show or hide this line"]],
    element("span", [["class", BEFORE]]), text);
  button.addEventListener("click", () => button.setAttribute("aria-pressed", String(before(!before()))));
  return element("li", [], button);
}

export const valueText = (metric, bucket) => (hasBegun(bucket) ? number(metric, bucket.value) : NOTHING);

const inBrackets = (words) => (words ? ` (${words})` : "");

function unknownWords(compare) {
  const reasons = compare.map((bucket) => REASONS.get(bucket.reason)).filter(Boolean);
  const words = [...new Set(reasons)].join(" and ");
  return words && reasons.length < compare.length ? `partly ${words}` : words;
}

export function whyPart(bucket) {
  if (!hasBegun(bucket)) return "not begun yet";
  return Date.parse(bucket.end) > now() ? "not over yet" : "only partly in the range";
}

// Why a bucket's number is doubtful, and empty if it is not.
const doubtOf = ({ start, end }, source) => wrongWords(start, end, source);

const sumOf = (group) => group.buckets.reduce((sum, bucket) => sum + (bucket.value ?? 0), 0);

function groupItem(key, sum, place, focus) {
  const line = element("span", [["class", "key"]]);
  line.style.borderColor = `var(${colourOfGroup(place)})`;
  const button = element("button", [["type", "button"], ["class", "group"], ["title", key.slice(0, TITLE_LENGTH)],
    ["aria-pressed", "false"]], line, element("bdi", [], key), ...(sum === null ? [] : [` ${count(sum)}`]));
  button.addEventListener("click", () => {
    const isChosen = button.getAttribute("aria-pressed") !== "true";
    for (const other of find("legend").querySelectorAll(".group")) other.setAttribute("aria-pressed", String(isChosen && other === button));
    focus(isChosen ? place : null);
  });
  return element("li", [], button);
}

export function showTable({ metric, interval, buckets, compare, groups, source }, title) {
  const table = find("chart-table");
  write(table.caption, `${title} by ${UNITS.get(interval)}`);
  const heads = ["Start", title, ...(compare ? ["Before"] : []), ...(groups ?? []).map((group) => group.key), "State"];
  table.tHead.replaceChildren(element("tr", [], ...heads.map((text) => element("th", [["scope", "col"]], text))));
  const cell = (bucket) => element("td", [], bucket ? valueText(metric, bucket) : NOTHING);
  table.tBodies[0].replaceChildren(...buckets.map((bucket, place) => element("tr", [],
    element("th", [["scope", "row"]], whenText(interval, bucket)),
    cell(bucket),
    ...(compare ? [cell(compare[place])] : []),
    ...(groups ?? []).map((group) => cell(group.buckets[place])),
    element("td", [], [bucket.complete ? "complete" : whyPart(bucket), doubtOf(bucket, source)].filter(Boolean).join(", ")))));
}
