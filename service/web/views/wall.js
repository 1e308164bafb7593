// The wall: one picture at a time, large, read anew each time that it comes. It is made to hang for days: it keeps one answer
// for each picture, stops its questions when a picture goes, and loads the page anew once a day.

import { Gone } from "../core/api.js";
import { element, write } from "../core/dom.js";
import { CALENDARS } from "../core/calendar_ranges.js";
import { clockText, lastText, rowDayText } from "../core/format.js";
import { hoursOf } from "../core/state.js";
import { PICTURES } from "./wall_pictures.js";

const TURN_MS = 15_000;
const LONGEST_MS = 12_000;
const DAY_MS = 86_400_000;
let parts = null;
let place = -1;
let asking = null;
let timer = null;
let isStill = false;
let answeredAt = null;
const beganAt = Date.now();
// The last contents of each picture, so that a lost server leaves what is known.
const drawn = new Map();

// source: as in core/wall.js.
export function open(source) {
  parts?.node.remove();
  document.documentElement.dataset.wall = "";
  const isFirst = parts === null;
  parts = build(source);
  document.body.append(parts.node);
  keepAwake();
  if (isFirst) {
    document.addEventListener("visibilitychange", () => { if (!document.hidden) keepAwake(); });
    addEventListener("keydown", (event) => { if ("wall" in document.documentElement.dataset) steer(event, source); });
  }
  turn(source, 1);
}

function build(source) {
  const title = element("h2", [["class", "wall-title"]]);
  const about = element("p", [["class", "wall-about"]]);
  const body = element("div", [["class", "wall-body"]]);
  const said = element("p", [["class", "wall-said"], ["role", "status"]]);
  const clock = element("p", [["class", "wall-clock"]]);
  const dots = element("ol", [["class", "wall-dots"], ["aria-hidden", "true"]]);
  const node = element("section", [["id", "wall"], ["aria-label", "Wall"]],
    element("header", [["class", "wall-head"]], element("div", [], title, about), clock), body, element("footer", [["class", "wall-foot"]], dots, said));
  return { node, title, about, body, said, clock, dots, source };
}

const pictures = (source) => PICTURES.filter(({ needsKey }) => !needsKey || !source.state().isShared);

// Show the next picture, `by` places on. One that has nothing to show is passed over, but no more than once round.
async function turn(source, by, left = pictures(source).length) {
  clearTimeout(timer);
  asking?.abort();
  const own = new AbortController();
  asking = own;
  const all = pictures(source);
  place = (place + by + all.length) % all.length;
  const picture = all[place];
  const limit = setTimeout(() => own.abort(), LONGEST_MS);
  try {
    const contents = await picture.read(source.state(), own.signal);
    if (asking !== own) return;
    drawn.set(place, contents);
    answeredAt = new Date();
    write(parts.said, "");
  } catch (error) {
    if (asking !== own) return;
    if (error.status === 401 && source.needSignIn) return leave(source);
    lose(error);
  } finally {
    clearTimeout(limit);
  }
  const contents = drawn.get(place);
  if (!contents && left > 1) return turn(source, by, left - 1);
  show(source, picture, contents);
  if (isStill) return;
  timer = setTimeout(() => next(source), TURN_MS);
}

// Somebody must sign in first.
function leave(source) {
  parts.node.remove();
  delete document.documentElement.dataset.wall;
  source.needSignIn();
}

// A page that is loaded anew starts with empty memory, and with the newest scripts. Without a server it would not come back.
async function next(source) {
  if (Date.now() - beganAt > DAY_MS && !parts.said.textContent && await isThere()) return location.reload();
  return turn(source, 1);
}

const isThere = () => fetch("health/live", { cache: "no-store", signal: AbortSignal.timeout(LONGEST_MS) }).then(({ ok }) => ok, () => false);

function show(source, picture, contents) {
  const state = source.state();
  write(parts.title, contents ? titleOf(picture, state) : "Nothing to show");
  write(parts.about, [source.title, source.range?.() ?? rangeText(state)].filter(Boolean).join(" · "));
  write(parts.clock, clockText(new Date()).replace(/(\d+:\d+):\d+/, "$1"));
  parts.body.replaceChildren(...(contents ?? []));
  parts.dots.replaceChildren(...pictures(source).map((_, at) => element("li", [["class", at === place ? "now" : ""]])));
  document.documentElement.dataset.shown = String(place);
}

const titleOf = ({ title }, state) => (typeof title === "function" ? title(state) : title);

function rangeText(state) {
  if (CALENDARS.has(state.range)) return CALENDARS.get(state.range);
  if (state.range !== "custom") return `the ${lastText(Math.round(hoursOf(state)))}`;
  return `${rowDayText(new Date(state.since))} to ${rowDayText(new Date(state.until - 1))}`;
}

function lose(error) {
  const since = answeredAt ? ` These numbers are from ${clockText(answeredAt)}.` : "";
  const isGone = error instanceof Gone || error.name === "AbortError";
  write(parts.said, isGone ? `The server does not answer.${since} Trying again …` : `Could not load: ${error.message}`);
}

// Space holds a picture, the arrows turn, Escape leaves the wall.
function steer(event, source) {
  if (event.key === "ArrowRight") turn(source, 1);
  if (event.key === "ArrowLeft") turn(source, -1);
  if (event.key === "Escape") {
    const rest = new URLSearchParams(location.search);
    rest.delete("wall");
    location.assign(`${location.pathname}?${rest}${location.hash}`);
  }
  if (event.key !== " ") return;
  event.preventDefault();
  isStill = !isStill;
  clearTimeout(timer);
  if (!isStill) timer = setTimeout(() => next(source), TURN_MS);
  parts.node.toggleAttribute("data-still", isStill);
}

async function keepAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // The screen may sleep; the wall goes on.
  }
}
