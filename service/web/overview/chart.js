// One metric over time: a line, the earlier period dashed, unfinished buckets dotted; or a line for each group.

import { showLegend, showTable, writeReadout } from "./chart_text.js";
import { find, hide, write } from "../core/dom.js";
import { drawMarks } from "./chart_marks.js";
import { colourOf, linesOf } from "./chart_series.js";
import * as notes from "./chart_notes.js";
import { moveTooltip } from "./chart_tooltip.js";
import { axisNumber } from "../core/format.js";
import { QUARTER } from "../core/state.js";
import { timeTexts } from "./time_axis.js";

const HALF_AN_HOUR = 1_800;
// A press that moves by fewer pixels draws no range.
const LEAST_WIDTH = 6;
let plot = null;
let shown = null;
let cursor = null;
let zoom = null;
// Whether the line of the comparison is drawn.
let showsBefore = true;

// choose(by): split by a dimension; "" for no split. chooseRange(since, until): a range was drawn; null where ranges are fixed.
export function start(choose, chooseRange = null) {
  zoom = chooseRange;
  const place = find("plot");
  new ResizeObserver(() => {
    if (plot && place.clientWidth) plot.setSize({ width: place.clientWidth, height: place.clientHeight });
  }).observe(place);
  addEventListener("themechange", () => { if (shown) show(...shown); });
  place.addEventListener("pointerleave", () => moveTooltip(null));
  place.addEventListener("keydown", readByKey);
  find("by").addEventListener("change", (event) => choose(event.target.value));
}

export function frame(title, by, isDivisible) {
  write(find("chart-title"), title);
  find("by").value = isDivisible ? by : "";
  find("by").disabled = !isDivisible;
  find("chart").classList.toggle("split", isDivisible && by !== "");
}

export function show(answer, title) {
  shown = [answer, title];
  write(find("chart-title"), title);
  draw(answer);
  notes.list(answer);
  showLegend(answer, focus, before);
  showTable(answer, title);
  writeReadout(answer, cursor);
}

// What lies over the lines has changed.
export function redraw() {
  if (!shown) return;
  plot?.redraw(false);
  notes.list(shown[0]);
}

// Other hours are wrong than before.
export function markWrong() {
  if (!shown) return;
  plot?.redraw(false);
  showLegend(shown[0], focus, before);
  showTable(...shown);
  writeReadout(shown[0], cursor);
}

export function clear() {
  plot?.destroy();
  plot = shown = cursor = null;
  find("legend").replaceChildren();
  find("chart-notes").replaceChildren();
  write(find("readout"), "\u00a0");
}

function draw(answer) {
  const place = find("plot");
  const lines = linesOf(answer);
  const data = [answer.buckets.map((bucket) => Date.parse(bucket.start) / 1000), ...lines.map((line) => line.values)];
  const groups = answer.groups?.map((group) => group.key);
  const keys = JSON.stringify([answer.metric, answer.interval, data.length, groups, colourOf("--ink"), colourOf("--panel"), showsBefore]);
  if (plot && plot.keys === keys) return plot.setData(data);
  plot?.destroy();
  cursor = null;
  moveTooltip(null);
  plot = new uPlot(options(answer, lines, place), data, place);
  plot.keys = keys;
}

function options({ metric, buckets }, lines, place) {
  // Large screens have a larger root.
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const axis = { stroke: colourOf("--quiet"), grid: { stroke: colourOf("--line"), width: 1 }, ticks: { show: false },
    font: `${0.75 * scale}px system-ui, sans-serif` };
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: zoom !== null, y: false, setScale: false }, points: { size: 8 } },
    scales: {
      x: { range: (u, since, until) => rangeOf(u.data[0], since, until) },
      y: { range: (_, least, most) => [0, Math.max(most ?? 0, metric === "bounce_rate" ? 0.1 : 1) * 1.05] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 5 * scale, size: 3.125 * scale, values: timeTexts },
      { ...axis, size: 3.25 * scale, values: (_, splits) => splits.map((value) => axisNumber(metric, value)) },
    ],
    series: [{}, ...lines.map((line) => ({ ...line.look(buckets.length <= 2), show: showsBefore || !line.isBefore }))],
    hooks: {
      setCursor: [point], setSelect: [select],
      draw: [(u) => { drawMarks(u, shown[0]); notes.draw(u, shown[0]); }],
    },
  };
}

// Fade the lines of all other groups. null fades none.
function focus(group) {
  if (!plot) return;
  const lines = linesOf(shown[0]);
  plot.series.forEach((series, place) => {
    series.alpha = place === 0 || group === null || lines[place - 1].group === group ? 1 : 0.15;
  });
  plot.redraw(false);
}

// A single hour stands in the middle.
function rangeOf(times, since, until) {
  return times.length === 1 ? [times[0] - HALF_AN_HOUR, times[0] + HALF_AN_HOUR] : [since, until];
}

function point(u) {
  cursor = u.cursor.idx ?? null;
  writeReadout(shown[0], cursor);
  moveTooltip(u.cursor.left >= 0 ? shown[0] : null, cursor, u.cursor.left, u.over);
}

// A drawn range becomes the range of the page, in whole quarters of an hour.
function select(u) {
  const { left, width } = u.select;
  if (!zoom || width < LEAST_WIDTH) return;
  const [from, to] = [left, left + width].map((x) => u.posToVal(x, "x") * 1000);
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const since = Math.floor(from / QUARTER) * QUARTER;
  zoom(since, Math.max(Math.ceil(to / QUARTER) * QUARTER, since + QUARTER));
}

// Show or hide the line of the comparison. Returns whether it is shown now.
function before(isShown = showsBefore) {
  if (isShown === showsBefore) return showsBefore;
  showsBefore = isShown;
  draw(shown[0]);
  return showsBefore;
}

function readByKey(event) {
  const steps = new Map([["ArrowLeft", -1], ["ArrowRight", 1], ["Home", -Infinity], ["End", Infinity]]);
  if (!plot || !steps.has(event.key)) return;
  event.preventDefault();
  const last = plot.data[0].length - 1;
  const from = cursor ?? (event.key === "ArrowRight" ? -1 : last + 1);
  const place = Math.min(last, Math.max(0, from + steps.get(event.key)));
  plot.setCursor({ left: plot.valToPos(plot.data[0][place], "x"), top: 0 });
  cursor = place;
  writeReadout(shown[0], place);
}

export function hidePlot(hidden) {
  for (const id of ["plot", "legend", "readout", "chart-notes"]) hide(find(id), hidden);
}
