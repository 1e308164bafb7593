// Takes the place of the chart when there are no events, or none match.

import { hidePlot } from "./chart.js";
import { element, find, hide } from "../core/dom.js";

export function show(isEmpty, isFiltered) {
  const place = find("empty");
  if (isEmpty && place.dataset.filtered !== String(isFiltered)) {
    place.dataset.filtered = String(isFiltered);
    place.replaceChildren(...(isFiltered ? noMatch() : firstEvent()));
  }
  hide(place, !isEmpty);
  hidePlot(isEmpty);
}

function noMatch() {
  return [element("p", [], "No events match these filters in this range. Remove one, or choose a longer range.")];
}

const addressOf = (path) => new URL(path, location.href).href;

function firstEvent() {
  const event = '{"event_type":"opened","session_id":"s-1","timestamp":"\'$(date -u +%FT%TZ)\'"}';
  return [
    element("p", [], "No events in this range. Send one:"),
    element("pre", [["tabindex", "0"]], `curl ${addressOf("e")} -H 'content-type: application/json' -d '${event}'`),
    element("p", [], "or let a web page send events with this script:"),
    element("pre", [["tabindex", "0"]], `<script src="${addressOf("h.js")}" defer></script>`),
    element("p", [["class", "quiet"]], "It is shown here as soon as it is stored."),
  ];
}
