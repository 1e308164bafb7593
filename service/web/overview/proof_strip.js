// The hours of the range. A week or less has a row for each day. A longer range has a cell for each day, striped by its
// hours or marked by a failed one, and below them the hours of the chosen day.

import { FAILED_STATES, PROOF_STATES } from "../core/definitions.js";
import { find, hide } from "../core/dom.js";
import { count, counted, dayText, hourOfDayText, hourText, rowDayText, rowMonthText } from "../core/format.js";
import { HOUR } from "../core/state.js";
import { Grid } from "./proof_grid.js";

const MOST_ROWS = 8;
const DAYS_OF_MONTH = 31;
// More days stand in lower cells, so that the months of a year have room.
const FEW_DAYS = 100;
const HOUR_MARKS = [0, 6, 12, 18];
const DAY_MARKS = [1, 5, 10, 15, 20, 25, 30];
let days = [];
let drawn = "";
// The proofs of the range by hour, null until they are known.
let byHour = null;
let chosen = null;
let told = null;
let dayGrid = null;
let hourGrid = null;

// tell({hour, proof}): an hour was chosen; null: none is.
export function start(tell) {
  told = tell;
  dayGrid = new Grid(find("strip-days"), showDay);
  hourGrid = new Grid(find("strip"), choose);
}

// Draw the hours [since, until), all empty. An hour of them that was chosen stays so.
export function frame([since, until]) {
  if (drawn === `${since}-${until}`) return;
  drawn = `${since}-${until}`;
  byHour = null;
  const kept = chosen !== null && chosen >= since && chosen < until ? chosen : null;
  days = daysOf(since, until);
  const isLong = days.length > MOST_ROWS;
  hide(find("strip-days"), !isLong);
  if (isLong) drawDays();
  else showDays([...days].reverse());
  if (kept !== null) chooseAnew(kept);
}

function drawDays() {
  find("strip-days").classList.toggle("many", days.length > FEW_DAYS);
  dayGrid.draw(DAYS_OF_MONTH, DAY_MARKS.map((day) => [day - 1, count(day)]), monthsOf(days));
  showDays(days.slice(-1));
  dayGrid.select(days.at(-1).key);
}

// Hours by local day; a day of 25 hours has 25.
function daysOf(since, until) {
  const found = [];
  for (let hour = since; hour < until; hour += HOUR) {
    const date = new Date(hour);
    const name = date.toDateString();
    if (found.at(-1)?.name !== name) found.push({ name, key: hour, date, hours: [] });
    found.at(-1).hours.push(hour);
  }
  return found;
}

// Rows of the grid of days, newest month first.
function monthsOf(all) {
  const rows = [];
  for (const { key, date } of all) {
    const head = rowMonthText(date);
    if (rows.at(-1)?.head !== head) rows.push({ head, cells: [] });
    rows.at(-1).cells.push({ key, column: date.getDate() - 1 });
  }
  return rows.reverse();
}

function showDays(shown) {
  chosen = null;
  told(null);
  const cells = shown.map(({ hours }) => placed(hours));
  const firsts = firstColumns(cells.flat());
  const rows = shown.map(({ date }, place) => ({
    head: rowDayText(date), cells: cells[place].map(({ key, hour, times }) => ({ key, column: firsts[hour] + times })) }));
  const today = new Date();
  hourGrid.draw(firsts.at(-1), HOUR_MARKS.map((hour) => [firsts[hour], hourOfDayText(new Date(today).setHours(hour, 0, 0, 0))]), rows);
  mark();
}

// The hours of a day: the local hour of each, and how many times it came before, where clocks go back.
function placed(hours) {
  const found = hours.map((key) => ({ key, hour: new Date(key).getHours() }));
  return found.map(({ key, hour }, place) => ({ key, hour, times: found.slice(0, place).filter((each) => each.hour === hour).length }));
}

// The first column of each local hour, and the number of columns. An hour that comes twice has two in every row, so that
// all rows stand below the same marks.
function firstColumns(cells) {
  const firsts = [0];
  for (let hour = 0; hour < 24; hour += 1) {
    const times = cells.filter((cell) => cell.hour === hour).map((cell) => cell.times);
    firsts.push(firsts[hour] + 1 + Math.max(0, ...times));
  }
  return firsts;
}

const dayOf = (hour) => days.findLast(({ key }) => key <= hour);

const showDay = (key) => showDays([dayOf(key)]);

export function show(proofs) {
  byHour = new Map(proofs.map((proof) => [Date.parse(proof.hour), proof]));
  mark();
  tell();
}

function tell() {
  told(chosen === null || byHour === null ? null : { hour: chosen, proof: byHour.get(chosen) ?? null });
}

function mark() {
  for (const hour of hourGrid.cells.keys()) {
    const proof = byHour?.get(hour);
    hourGrid.mark(hour, proof?.state ?? "none",
      proof ? `${hourText(hour)}: ${proof.state}, ${counted(proof.events, "event")}` : `${hourText(hour)}: no events`);
  }
  if (find("strip-days").hidden) return;
  for (const { key, hours } of days) markDay(key, hours.map((hour) => byHour?.get(hour)?.state ?? "none"));
}

// A day has the worst state of its hours. Its label counts the hours in each.
function markDay(key, states) {
  const found = PROOF_STATES.filter((state) => states.includes(state));
  const words = found.map((state) => `${count(states.filter((each) => each === state).length)} ${state}`);
  const worst = found[0] ?? "none";
  dayGrid.mark(key, worst, `${dayText(key)}: ${words.join(", ") || "no events"}`);
  const isStriped = worst !== "none" && !FAILED_STATES.includes(worst);
  dayGrid.cells.get(key).node.style.backgroundImage = isStriped ? stripes(states) : "";
}

function stripes(states) {
  const part = 100 / states.length;
  return `linear-gradient(${states.map((state, place) => `var(--${state}) ${place * part}% ${(place + 1) * part}%`).join(", ")})`;
}

function choose(hour) {
  chosen = hour;
  tell();
}

// Choose an hour whose cell may not be drawn yet.
function chooseAnew(hour) {
  if (!find("strip-days").hidden) {
    const { key } = dayOf(hour);
    showDay(key);
    dayGrid.select(key);
  }
  hourGrid.select(hour);
  choose(hour);
}

// Lead to the cell of an hour of the range.
export function lead(hour) {
  chooseAnew(hour);
  hourGrid.focus(hour);
}
