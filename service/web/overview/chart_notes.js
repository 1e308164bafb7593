// Notes on the chart: what happened on a day, such as a launch. A server without them is asked once.

import { Refused, get } from "../core/api.js";
import { element, find } from "../core/dom.js";
import { dayText } from "../core/format.js";
import { colourOf } from "./chart_series.js";

const FRESH_MS = 60_000;
const MOST_SHOWN = 12;
const DAY = 86_400_000;
let notes = [];
let readAt = -Infinity;
let isMissing = false;

export const all = () => notes;

// The notes have changed, so the next round reads them again.
export const forget = () => { readAt = -Infinity; };

// told(): the notes are others than before. Returns the outcome.
export async function read(signal, told) {
  if (isMissing || performance.now() - readAt < FRESH_MS) return "ok";
  try {
    const { annotations } = await get("annotations", [], signal);
    readAt = performance.now();
    if (JSON.stringify(annotations) === JSON.stringify(notes)) return "ok";
    notes = annotations;
    told();
  } catch (error) {
    if (!(error instanceof Refused)) return error.name === "AbortError" ? "aborted" : "gone";
    isMissing = [400, 403, 404].includes(error.status);
  }
  return "ok";
}

// A note of a day means that day where the reader is: a text without a zone is local time.
export const timeOf = ({ at, day }) => Date.parse(day ? `${day}T00:00:00` : at);

// The notes within the buckets: [{place, text, when}].
function shownIn(buckets) {
  if (!buckets.length) return [];
  const [since, until] = [Date.parse(buckets[0].start), Date.parse(buckets.at(-1).end)];
  return notes.map((note) => ({ ...note, time: timeOf(note) }))
    .filter(({ time }) => time + DAY > since && time >= since && time < until)
    .map((note) => ({ ...note, place: Math.max(0, buckets.findLastIndex(({ start }) => Date.parse(start) <= note.time)) }))
    .slice(0, MOST_SHOWN);
}

// The texts of the notes of one bucket.
export const textsAt = (buckets, place) => shownIn(buckets).filter((note) => note.place === place).map(({ text }) => text);

// u: the plot. Draws a line and a flag for each note.
export function draw(u, { buckets }) {
  const { ctx, bbox } = u;
  const size = 4 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colourOf("--line-4");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { place } of shownIn(buckets)) {
    const x = u.valToPos(u.data[0][place], "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x, bbox.top);
    ctx.stroke();
    ctx.fillRect(x, bbox.top, 2 * size, 1.5 * size);
  }
  ctx.restore();
}

// The same notes as a list below the chart.
export function list({ buckets }) {
  const place = find("chart-notes");
  place.replaceChildren(...shownIn(buckets).map(({ at, text, time }) => element("li", [],
    element("span", [["class", "key note-key"]]), element("time", [["datetime", at]], dayText(new Date(time).toISOString())), element("bdi", [], text))));
}
