// The chosen number over time, the compared period dashed, and the same as a table for those who do not see it.

import { $, dayText, element, hourText, number } from "./dom.js";
import { interval, METRICS, rangeHours, state } from "./state.js";

const HEIGHT = 260;
let plot = null;
let shown = null;

export function showChart(trend) {
  performance.mark("chart-begins");
  shown = trend;
  const name = METRICS.get(state.metric);
  $("chart-title").textContent = name;
  $("chart-note").textContent = noteOf(trend);
  const unfinished = trend.buckets.some((bucket) => !bucket.complete);
  draw(trend, name, unfinished);
  $("chart-table").replaceChildren(tableOf(trend, name));
  performance.measure("chart", "chart-begins");
}

/** Say where the numbers are from when that is not the rollups, and when raw events do not reach back so far. */
export function noteOf(answer) {
  if (answer.source !== "events") return "\u00a0";
  const whole = Date.parse(answer.to) - Date.parse(answer.from) >= rangeHours() * 3_600_000;
  return whole ? "From raw events." : `From raw events, which are kept since ${hourText(answer.from)}.`;
}

function draw(trend, name, unfinished) {
  const box = $("chart");
  const finished = trend.buckets.filter((bucket) => bucket.complete).length;
  const value = (bucket) => bucket.value;
  const series = [
    { label: "Time", value: (_, seconds) => (seconds === null ? "–" : timeText(seconds * 1000)) },
    line(name, colour("--accent"), { width: 2, points: { show: trend.buckets.length < 32, size: 5, fill: colour("--accent") } }),
  ];
  const data = [
    trend.buckets.map((bucket) => Date.parse(bucket.start) / 1000),
    trend.buckets.map((bucket) => (bucket.complete ? bucket.value : null)),
  ];
  if (unfinished) {
    series.push(line("unfinished", colour("--accent"), { width: 2, dash: [2, 4], points: { show: true, fill: colour("--panel"), filter: (plotted) => [plotted.data[0].length - 1] } }));
    data.push(trend.buckets.map((bucket, place) => (place >= finished - 1 ? bucket.value : null)));
  }
  if (trend.compare) {
    const label = state.compare === "week" ? "same weekdays before" : "period before";
    series.push(line(label, colour("--quiet"), { width: 1.5, dash: [6, 5], points: { show: false } }));
    data.push(trend.buckets.map((_, place) => (trend.compare[place] ? value(trend.compare[place]) : null)));
  }
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  plot?.destroy();
  plot = new globalThis.uPlot({
    width: box.clientWidth || 600,
    height: HEIGHT,
    series,
    axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 64, values: (_, values) => values.map(number) }],
    scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.05] } },
    cursor: { points: { size: 7 } },
  }, data, box);
}

/** What a colour of the style sheet is in the present scheme; a canvas knows no light-dark(). */
function colour(property) {
  const probe = $("chart");
  probe.style.color = `var(${property})`;
  const found = getComputedStyle(probe).color;
  probe.style.color = "";
  return found;
}

const line = (label, stroke, rest) => ({ label, stroke, value: (_, value) => number(value ?? null), ...rest });

const timeText = (time) => (interval() === "hour" ? hourText(time) : dayText(time));

function tableOf(trend, name) {
  const rows = trend.buckets.map((bucket, place) => element("tr", {},
    element("th", { scope: "row" }, timeText(bucket.start) + (bucket.complete ? "" : ", unfinished")),
    element("td", {}, number(bucket.value)),
    ...(trend.compare ? [element("td", {}, number(trend.compare[place]?.value ?? null))] : [])));
  const heads = ["Time", name, ...(trend.compare ? ["Compared"] : [])];
  return element("table", {},
    element("caption", {}, `${name} by ${trend.interval}`),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows));
}

new ResizeObserver(() => plot?.setSize({ width: $("chart").clientWidth, height: HEIGHT })).observe($("chart"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (shown) showChart(shown); });
