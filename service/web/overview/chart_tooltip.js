// The values of the bucket below the pointer, beside the crosshair. Readers of the screen have the table in its place.

import { element, find, hide } from "../core/dom.js";
import { number } from "../core/format.js";
import { textsAt } from "./chart_notes.js";
import { colourOfGroup } from "./chart_series.js";
import { valueText, whenText, whyPart } from "./chart_text.js";

const AWAY = 12;
let drawn = null;

// answer: of the trend, or null to hide it. place: of the bucket. left: of the pointer in the plot, whose node is `over`.
export function moveTooltip(answer, place = null, left = 0, over = null) {
  const box = find("tooltip");
  const bucket = place === null ? undefined : answer?.buckets[place];
  hide(box, !bucket);
  if (!bucket) return;
  if (drawn?.bucket !== bucket) box.replaceChildren(...rowsOf(answer, place));
  drawn = { bucket };
  const from = over.offsetLeft + left;
  const isRight = from + AWAY + box.offsetWidth > find("plot").clientWidth;
  box.style.translate = `${Math.max(0, isRight ? from - AWAY - box.offsetWidth : from + AWAY)}px 0`;
}

function rowsOf({ metric, interval, buckets, compare, groups }, place) {
  const bucket = buckets[place];
  const before = compare?.[place];
  return [
    element("p", [["class", "quiet"]], whenText(interval, bucket)),
    row("var(--accent)", groups ? "All" : find("chart-title").textContent, valueText(metric, bucket), "strong"),
    ...(bucket.complete ? [] : [element("p", [["class", "quiet"]], whyPart(bucket))]),
    ...(before ? [row("var(--quiet)", "Before", number(metric, before.value))] : []),
    ...(groups ?? []).map((group, at) => row(`var(${colourOfGroup(at)})`, group.key, valueText(metric, group.buckets[place]))),
    ...textsAt(buckets, place).map((text) => element("p", [["class", "tooltip-note"]], text)),
  ];
}

function row(colour, name, text, tag = "span") {
  const mark = element("span", [["class", "tooltip-mark"]]);
  mark.style.background = colour;
  return element("p", [["class", "tooltip-row"]], mark, element("bdi", [], name), element(tag, [], text));
}
