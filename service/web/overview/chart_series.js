// The lines of a trend: their values, whose they are, and how uPlot draws them.

import { now } from "../core/clock.js";
import { find } from "../core/dom.js";

// One for each group; the rest is grey.
const COLOURS = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5"];
const REST = "--quiet";

// A canvas takes a colour only when light-dark() is resolved.
export function colourOf(name) {
  const probe = find("plot");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

export const colourOfGroup = (place) => COLOURS[place] ?? REST;

// [{group, values, look(few)}]; group is a place among the groups, or null.
export function linesOf({ buckets, compare, groups }) {
  if (groups) return groups.flatMap((group, place) => pair(group.buckets, colourOfGroup(place), 1.5, place));
  const before = compare?.map((bucket) => bucket.value);
  return [
    ...pair(buckets, "--accent", 2, null),
    ...(before ? [{ group: null, isBefore: true, values: before, look: (few) =>
      ({ stroke: colourOf("--quiet"), width: 1.25, dash: [6, 5], points: { show: few } }) }] : []),
  ];
}

// Nothing is known yet of a bucket that has not begun, unless some clocks are ahead.
export const hasBegun = ({ start, value }) => Boolean(value) || Date.parse(start) <= now();

// Two lines: whole buckets, and incomplete ones, joined to their neighbours.
function pair(buckets, colour, width, group) {
  const finished = buckets.map((bucket) => (bucket.complete ? bucket.value : null));
  const isPart = (place) => buckets[place] !== undefined && !buckets[place].complete;
  const unfinished = buckets.map((bucket, place) =>
    ([place - 1, place, place + 1].some(isPart) && hasBegun(bucket) ? bucket.value : null));
  return [
    { group, values: finished, look: (few) => ({ stroke: colourOf(colour), width, points: { show: few, size: 7 } }) },
    { group, values: unfinished, look: () => ({ stroke: colourOf(colour), width, dash: [2, 4],
      points: { show: true, size: group === null ? 7 : 5, fill: colourOf("--panel"), filter: () => [buckets.findLastIndex(hasBegun)] } }) },
  ];
}
