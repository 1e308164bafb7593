// The totals of the range, each with its change and the line of its buckets.

import { $, element, number, svg } from "./dom.js";
import { METRICS, show, state } from "./state.js";

const WIDTH = 120;
const HEIGHT = 28;
const percent = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const cards = new Map();

/** Make the cards, at their final size, before there is a number. */
export function makeCards(changed) {
  for (const [metric, name] of METRICS) {
    const value = element("span", { class: "value" }, "–");
    const change = element("span", { class: "change quiet" }, "\u00a0");
    const line = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const card = element("button", { type: "button", class: "card", "data-metric": metric },
      element("span", { class: "name" }, name), value, change, line);
    card.addEventListener("click", () => { show({ metric }); changed(); });
    cards.set(metric, { card, value, change, line });
    $("cards").append(card);
  }
}

export function markCard() {
  for (const [metric, { card }] of cards) card.setAttribute("aria-pressed", String(metric === state.metric));
}

export function showTotals(summary) {
  for (const [metric, { value, change }] of cards) {
    const now = summary.totals[metric];
    value.textContent = number(now);
    change.replaceChildren(...changeOf(now, summary.compare?.totals[metric]));
  }
}

function changeOf(now, before) {
  if (before === undefined) return [state.compare === "none" ? "\u00a0" : "no earlier data"];
  const than = state.compare === "week" ? "the same weekdays" : "the period before";
  if (!before) return [now ? "no earlier data" : "no change"];
  const change = ((now ?? 0) - before) / before * 100;
  if (Math.abs(change) < 0.5) return ["no change"];
  const direction = change > 0 ? "up" : "down";
  return [
    element("span", { "aria-hidden": "true", class: direction }, `${change > 0 ? "▲" : "▼"} ${percent.format(Math.abs(change))} %`),
    element("span", { class: "unseen" }, `${direction} ${percent.format(Math.abs(change))} percent, from ${number(before)} in ${than}`),
  ];
}

/** Draw a card's line; an unfinished last bucket is dashed. */
export function showLine(metric, buckets) {
  const values = buckets.map((bucket) => bucket.value ?? 0);
  const most = Math.max(...values, 1);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const points = values.map((value, place) => `${(place * step).toFixed(1)},${(HEIGHT - 2 - value / most * (HEIGHT - 4)).toFixed(1)}`);
  const finished = buckets.filter((bucket) => bucket.complete).length;
  const { line } = cards.get(metric);
  line.replaceChildren(
    svg("polyline", { points: points.slice(0, finished).join(" ") }),
    svg("polyline", { points: points.slice(Math.max(finished - 1, 0)).join(" "), class: "unfinished" }),
  );
}
