// The proof strip: a row a day, a cell an hour, newest day first. One cell can be reached by tab, the others by arrows.

import { element, find } from "../core/dom.js";
import { counted, hourText, rowDayText } from "../core/format.js";
import { HOUR } from "../core/state.js";

export const LETTERS = new Map([["drifted", "D"], ["damaged", "X"], ["broken", "B"]]);
let cells = new Map();
let rows = [];
let drawn = "";
let chosen = null;
let told = null;

export function start(tell) {
  told = tell;
  const strip = find("strip");
  strip.addEventListener("keydown", moveByKey);
  strip.addEventListener("focusin", (event) => choose(event.target));
  strip.addEventListener("click", (event) => event.target.closest(".cell[tabindex]")?.focus());
}

// Draw the hours [since, until), all empty.
export function frame([since, until]) {
  if (drawn === `${since}-${until}`) return;
  drawn = `${since}-${until}`;
  cells = new Map();
  rows = days(since, until).reverse().map(rowOf);
  chosen = null;
  const isLong = rows.some((row) => row.cells.length > 24);
  find("strip").classList.toggle("long", isLong);
  find("strip").replaceChildren(...rows.map((row) => row.node));
  const newest = rows[0]?.cells.at(-1);
  if (newest) newest.node.tabIndex = 0;
}

// Hours by local day; a day of 25 hours has 25.
function days(since, until) {
  const found = [];
  for (let hour = since; hour < until; hour += HOUR) {
    const date = new Date(hour);
    const day = date.toDateString();
    if (found.at(-1)?.day !== day) found.push({ day, date, hours: [] });
    found.at(-1).hours.push(hour);
  }
  return found;
}

function rowOf({ date, hours }) {
  const made = hours.map((hour) => {
    const node = element("span", [["role", "gridcell"], ["class", "cell none"], ["tabindex", "-1"]]);
    const cell = { hour, node, proof: null };
    cells.set(hour, cell);
    node.dataset.hour = String(hour);
    return cell;
  });
  // The first day may begin late. Its hours still stand below the same hours of other days.
  made[0].node.style.gridColumnStart = String(date.getHours() + 2);
  const head = element("span", [["role", "rowheader"]], rowDayText(date));
  return { cells: made, node: element("div", [["role", "row"], ["class", "strip-row"]], head, ...made.map((cell) => cell.node)) };
}

export function show(proofs) {
  const byHour = new Map(proofs.map((proof) => [Date.parse(proof.hour), proof]));
  for (const [hour, cell] of cells) mark(cell, byHour.get(hour) ?? null);
  if (chosen) told(cells.get(chosen));
}

function mark(cell, proof) {
  const state = proof?.state ?? "none";
  const name = `cell ${state}`;
  cell.proof = proof;
  if (cell.node.className !== name) {
    cell.node.className = name;
    cell.node.textContent = LETTERS.get(state) ?? "";
  }
  const label = proof
    ? `${hourText(cell.hour)}: ${state}, ${counted(proof.events, "event")}`
    : `${hourText(cell.hour)}: no events`;
  if (cell.node.ariaLabel !== label) {
    cell.node.ariaLabel = label;
    cell.node.title = label;
  }
}

export function textOf({ hour, proof }) {
  if (!proof) return `${hourText(hour)}: no events.`;
  const verified = proof.verified_at ? ` Verified ${hourText(proof.verified_at)}.` : " Not verified yet.";
  const sealed = proof.sealed_at ? ` Sealed ${hourText(proof.sealed_at)}.` : "";
  return `${hourText(hour)}: ${proof.state}, ${counted(proof.events, "event")}.${verified}${sealed} Digest ${proof.digest}`;
}

function choose(node) {
  const cell = cells.get(Number(node.dataset?.hour));
  if (!cell) return;
  for (const other of find("strip").querySelectorAll('[tabindex="0"]')) {
    other.tabIndex = -1;
    other.removeAttribute("aria-selected");
  }
  cell.node.tabIndex = 0;
  cell.node.setAttribute("aria-selected", "true");
  chosen = cell.hour;
  told(cell);
}

function moveByKey(event) {
  const row = rows.findIndex(({ node }) => node === event.target.parentElement);
  if (row < 0) return;
  const at = rows[row].cells.findIndex(({ node }) => node === event.target);
  const column = new Date(rows[row].cells[at].hour).getHours();
  const goals = new Map([
    ["ArrowLeft", () => rows[row].cells[at - 1] ?? rows[row + 1]?.cells.at(-1)],
    ["ArrowRight", () => rows[row].cells[at + 1] ?? rows[row - 1]?.cells[0]],
    ["ArrowUp", () => inColumn(rows[row - 1], column)],
    ["ArrowDown", () => inColumn(rows[row + 1], column)],
    ["Home", () => rows[row].cells[0]],
    ["End", () => rows[row].cells.at(-1)],
  ]);
  if (!goals.has(event.key)) return;
  event.preventDefault();
  goals.get(event.key)()?.node.focus();
}

const inColumn = (row, column) => row?.cells.find(({ hour }) => new Date(hour).getHours() === column) ?? row?.cells[0];
