// One metric over time: a line, the earlier period dashed, and what is not over dotted.

import { element, find, hide, write } from "./elements.js";
import { NOTHING, compact, dayText, hourText, number } from "./words.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const HALF_AN_HOUR = 1_800;
let plot = null;
let shown = null;
let cursor = null;

// A canvas takes a colour only when light-dark() is resolved.
function colour(name) {
  const probe = find("plot");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

export function start() {
  const place = find("plot");
  new ResizeObserver(() => {
    if (plot && place.clientWidth) plot.setSize({ width: place.clientWidth, height: place.clientHeight });
  }).observe(place);
  dark.addEventListener("change", () => { if (shown) show(...shown); });
  place.addEventListener("keydown", readByKey);
}

export function show(answer, title) {
  shown = [answer, title];
  write(find("chart-title"), title);
  draw(answer);
  showLegend(answer);
  showTable(answer, title);
  showReadout(cursor);
}

function draw(answer) {
  const place = find("plot");
  const data = series(answer);
  const keys = [answer.metric, answer.interval, data.length, dark.matches].join();
  if (plot && plot.keys === keys) return plot.setData(data);
  plot?.destroy();
  cursor = null;
  plot = new uPlot(options(answer, place), data, place);
  plot.keys = keys;
}

// The finished buckets; the unfinished ones joined to the last finished; those before, at the same places.
function series({ buckets, compare }) {
  const finished = buckets.map((bucket) => (bucket.complete ? bucket.value : null));
  const unfinished = buckets.map((bucket, place) =>
    (!bucket.complete || (buckets[place + 1] && !buckets[place + 1].complete) ? bucket.value : null));
  const times = buckets.map((bucket) => Date.parse(bucket.start) / 1000);
  return [times, finished, unfinished, ...(compare ? [compare.map((bucket) => bucket.value)] : [])];
}

function options({ metric, compare, buckets }, place) {
  const accent = colour("--accent");
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
    font: "12px system-ui, sans-serif" };
  const few = buckets.length <= 2;
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    scales: {
      x: { range: (u, since, until) => rangeOf(u.data[0], since, until) },
      y: { range: (_, least, most) => [0, Math.max(most ?? 0, 1) * 1.05] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70 },
      { ...axis, size: 52, values: (_, splits) => splits.map((value) => valueText(metric, value)) },
    ],
    series: [
      {},
      { stroke: accent, width: 2, points: { show: few, size: 7 } },
      { stroke: accent, width: 2, dash: [2, 4],
        points: { show: true, size: 7, fill: colour("--panel"), filter: (u) => [u.data[0].length - 1] } },
      ...(compare ? [{ stroke: colour("--quiet"), width: 1.25, dash: [6, 5], points: { show: few } }] : []),
    ],
    hooks: { setCursor: [(u) => { cursor = u.cursor.idx ?? null; showReadout(cursor); }] },
  };
}

// One hour alone stands in the middle.
function rangeOf(times, since, until) {
  return times.length === 1 ? [times[0] - HALF_AN_HOUR, times[0] + HALF_AN_HOUR] : [since, until];
}

const valueText = (metric, value) =>
  (metric !== "events_per_session" && !Number.isInteger(value) ? "" : compact(value));

function whenText(bucket) {
  return shown[0].interval === "day" ? dayText(bucket.start) : hourText(bucket.start);
}

function showReadout(place) {
  const [answer] = shown;
  const bucket = answer.buckets[place];
  if (!bucket) return write(find("readout"), "\u00a0");
  const before = answer.compare?.[place];
  const unfinished = bucket.complete ? "" : ", not over";
  const than = before ? ` · before: ${number(answer.metric, before.value)}` : "";
  write(find("readout"), `${whenText(bucket)}: ${number(answer.metric, bucket.value)}${unfinished}${than}`);
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
  showReadout(place);
}

function showLegend({ interval, buckets, compare }) {
  const unit = interval === "day" ? "day" : "hour";
  const lines = [["key", `by ${unit}`]];
  if (buckets.some((bucket) => !bucket.complete)) lines.push(["key unfinished", `this ${unit}, not over`]);
  if (compare) {
    const rest = compare.some((bucket) => bucket.value === null) ? " (not all of it is kept)" : "";
    lines.push(["key before", `from ${dayText(compare[0].start)}, to compare${rest}`]);
  }
  find("legend").replaceChildren(...lines.map(([name, text]) =>
    element("li", [], element("span", [["class", name]]), text)));
}

function showTable({ metric, interval, buckets, compare }, title) {
  const table = find("chart-table");
  write(table.caption, `${title} by ${interval}`);
  const heads = ["Start", title, ...(compare ? ["Before"] : []), "State"];
  table.tHead.replaceChildren(element("tr", [], ...heads.map((text) => element("th", [["scope", "col"]], text))));
  table.tBodies[0].replaceChildren(...buckets.map((bucket, place) => element("tr", [],
    element("th", [["scope", "row"]], whenText(bucket)),
    element("td", [], number(metric, bucket.value)),
    ...(compare ? [element("td", [], compare[place] ? number(metric, compare[place].value) : NOTHING)] : []),
    element("td", [], bucket.complete ? "complete" : "not over"))));
}

export function hidePlot(hidden) {
  for (const id of ["plot", "legend", "readout"]) hide(find(id), hidden);
}
