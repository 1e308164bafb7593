// A course as a large picture: an area, its highest value, and its ends.

import { hourText, number } from "../core/format.js";
import { hasBegun } from "../overview/chart_series.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1_000;
const HEIGHT = 380;

const make = (name, attributes, ...children) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
};

const linesOf = (values, most) => values.map((value, place) =>
  `${((place * WIDTH) / Math.max(values.length - 1, 1)).toFixed(1)},${(HEIGHT - ((value ?? 0) / most) * (HEIGHT - 10)).toFixed(1)}`).join(" ");

// answer: of `GET /api/analytics/trends`. Returns a figure.
export function course({ metric, buckets, compare }) {
  const values = buckets.filter(hasBegun).map(({ value }) => value);
  const before = (compare ?? []).slice(0, values.length).map(({ value }) => value);
  const most = Math.max(...values.map((value) => value ?? 0), ...before.map((value) => value ?? 0), 1e-9);
  const line = linesOf(values, most);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    make("polygon", { class: "wall-area", points: `0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}` }),
    ...(before.some((value) => value !== null) ? [make("polyline", { class: "wall-before", points: linesOf(before, most) })] : []),
    make("polyline", { class: "wall-line", points: line }));
  const figure = document.createElement("figure");
  figure.className = "wall-course";
  const said = document.createElement("figcaption");
  for (const text of [hourText(buckets[0].start), `at most ${number(metric, most)}`, hourText(buckets.at(-1).end)]) {
    said.append(Object.assign(document.createElement("span"), { textContent: text }));
  }
  figure.append(svg, said);
  return figure;
}
