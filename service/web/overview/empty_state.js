// Takes the place of the chart when there are no events, or none match: it says how to send the first one, and that it came.

import { hidePlot } from "./chart.js";
import { copyButton } from "../core/copy_button.js";
import { element, find, hide, write } from "../core/dom.js";
import { count } from "../core/format.js";
import { UNKNOWN_KEY, commandOf, lineOf } from "./snippet.js";

const FIRST = "No events yet. To count the page views of a site, paste this line into the head of its pages:";
const NONE = "No events in this range. Choose a longer one, or paste this line into the head of a site's pages:";
const NO_MATCH = "No events match these filters in this range. Remove one, or choose a longer range.";
let isFirst = false; // the log has never had an event

// summary: the answer. Returns whether to explain how events are sent.
export function show(summary, isFiltered) {
  const isEmpty = Number(summary.totals.events) === 0;
  const hasNone = summary.as_of.positions.every((position) => Number(position) === 0);
  if (isFirst && !hasNone) welcome(summary);
  isFirst = hasNone;
  hide(find("empty"), !isEmpty);
  hidePlot(isEmpty);
  if (isEmpty && isFiltered) draw(NO_MATCH, () => [element("p", [], NO_MATCH)]);
  return isEmpty && !isFiltered;
}

// settings: what GET /api/analytics/client answers.
export function explain(settings) {
  draw(JSON.stringify([isFirst, settings]), () => [
    element("p", [], isFirst ? FIRST : NONE),
    copied(lineOf(settings)),
    element("ul", [["class", "quiet"]], ...notesOf(settings).map((note) => element("li", [], note))),
    element("p", [], "Or send one event from a terminal:"),
    copied(commandOf(settings)),
    element("p", [["class", "quiet"]], isFirst ? "This page says when the first event arrives." : "It is shown here once it is stored."),
  ]);
}

// The same contents stay, so that what a visitor has selected does.
function draw(name, contents) {
  const place = find("empty");
  if (place.dataset.shown === name) return;
  place.dataset.shown = name;
  place.replaceChildren(...contents());
}

function notesOf({ needs_write_key: needsKey, write_key: key, origins }) {
  return [
    "It sends a page view for each page that opens.",
    originsText(origins),
    needsKey && key === null
      ? `Replace ${UNKNOWN_KEY} by the value of HOURLEDGER_WRITE_KEY, which the service tells only to those who may write,`
        + " or by a key that `python -m service keys create --kind write` has printed." : "",
    navigator.doNotTrack === "1" || navigator.globalPrivacyControl
      ? "This browser asks not to be tracked, so its own visits are not recorded: try the page in another one." : "",
  ].filter(Boolean);
}

function originsText(origins) {
  if (origins.includes("*")) return "Pages of every origin may send.";
  if (origins.length) return `Pages of ${origins.join(", ")} may send, as HOURLEDGER_CORS_ORIGINS says.`;
  return `Only pages of ${location.origin} may send now. Name the origin of another site, such as https://www.example.com,`
    + " in HOURLEDGER_CORS_ORIGINS, and start the service again.";
}

function copied(text) {
  const lines = element("pre", [["tabindex", "0"]], text);
  return element("div", [["class", "copied"]], lines, copyButton(lines));
}

// It stays until the visitor does something.
function welcome(summary) {
  const text = textOf(summary);
  write(find("arrival"), text);
  write(find("announcement"), text);
  hide(find("arrival"), false);
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => hide(find("arrival"), true), { once: true });
}

function textOf({ totals, event_types: types }) {
  const events = Number(totals.events);
  if (!events) return "The first event has arrived. It is not of this range, or does not match the filters.";
  return events === 1 ? `The first event has arrived: ${types[0].key}.` : `The first ${count(events)} events have arrived.`;
}
