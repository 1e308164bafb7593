// The events of a timeline as rows, with the time between two events if it is long.

import { element } from "../core/dom.js";
import { write as exactJson } from "../core/exact_json.js";
import { dayText, durationText, secondText } from "../core/format.js";

const LEAST_GAP_SECONDS = 60;
// A client begins another session after this silence.
const LONG_GAP_SECONDS = 1_800;
const MOST_SHOWN = 2_000;

// last: the time of the event before the first of these, or null.
export function eventRows(events, last) {
  let before = last;
  return events.flatMap((event) => {
    const rows = [...dayRow(before, event.timestamp), ...gapRow(before, event.timestamp), eventRow(event)];
    before = event.timestamp;
    return rows;
  });
}

const dayOf = (text) => new Date(text).toDateString();

function dayRow(before, now) {
  return before && dayOf(before) === dayOf(now) ? [] : [element("li", [["class", "day"]], dayText(now))];
}

function gapRow(before, now) {
  const by = before ? (Date.parse(now) - Date.parse(before)) / 1000 : 0;
  const seconds = Math.abs(by);
  if (seconds < LEAST_GAP_SECONDS) return [];
  const text = `${durationText(seconds)} ${by > 0 ? "later" : "earlier"}`;
  return [element("li", [["class", seconds >= LONG_GAP_SECONDS ? "gap long" : "gap"]], text)];
}

function eventRow(event) {
  const facts = [event.tool_name, event.action].filter(Boolean);
  const properties = Object.entries(event.properties ?? {});
  const head = element("div", [["class", "event-head"]], element("time", [["datetime", event.timestamp]], secondText(event.timestamp)),
    element("bdi", [["class", "event-type"]], event.event_type), ...facts.map((text) => element("bdi", [["class", "event-fact"]], text)));
  return element("li", [["class", "event"]], head, ...(properties.length ? [propertyList(properties)] : []));
}

const propertyList = (properties) => element("p", [["class", "properties"]], ...properties.flatMap(([name, value]) => [
  element("span", [["class", "quiet"]], `${name.slice(0, MOST_SHOWN)} `),
  element("bdi", [], (typeof value === "string" ? value : exactJson(value)).slice(0, MOST_SHOWN)), " ",
]));
