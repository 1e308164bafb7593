// The proof strip: a cell for each hour with events, by the state of its proof.

import { $, element, hourText, number, secondText } from "./dom.js";
import { rangeHours } from "./state.js";

// In words, and with the letter that tells them apart without colour.
const STATES = new Map([
  ["verified", ["V", "recounted from its raw events, and right"]],
  ["sealed", ["S", "raw events gone, proven before"]],
  ["open", ["O", "not over, or touched since it was verified"]],
  ["drifted", ["D", "rollup is not the recount; a rebuild mends it"]],
  ["damaged", ["X", "raw events are not what was appended"]],
  ["broken", ["B", "its seal does not hold"]],
]);
const HOUR = 3_600_000;
const DAY = 24;
let chosen = null;
let drawn = "";

export function showStrip(answer) {
  // Live updates mostly change nothing here: the cells, and who has the focus, stay.
  const text = JSON.stringify(answer.proofs);
  if (text === drawn && chosen !== null) return;
  drawn = text;
  const focused = document.activeElement?.dataset.hour;
  const cells = new Map(answer.proofs.map((proof) => [Date.parse(proof.hour), proof]));
  legend(answer.proofs);
  const rows = rowsOf(Date.parse(answer.from), Date.parse(answer.to));
  const strip = $("strip");
  strip.className = rows.length === 1 ? "single" : rows.length > 9 ? "columns" : "rows";
  strip.replaceChildren(...rows.map((hours) => element("div", { class: "day" }, ...hours.map((hour) => cell(hour, cells.get(hour))))));
  const keep = strip.querySelector(`[data-hour="${focused ?? chosen}"]`) ?? strip.querySelector("button:last-of-type");
  strip.querySelectorAll("button").forEach((button) => { button.tabIndex = button === keep ? 0 : -1; });
  if (focused !== undefined) keep?.focus({ preventScroll: true });
  chosen ??= 0;
}

/** Hours by local days, when there is more than one day. */
function rowsOf(from, to) {
  if (rangeHours() <= DAY) return [range(from, to)];
  const days = new Map();
  for (const hour of range(from, to)) {
    const day = new Date(hour).toDateString();
    if (!days.has(day)) days.set(day, []);
    days.get(day).push(hour);
  }
  const rows = [...days.values()];
  // The first day begins where it does, so that hours stand below hours.
  const missing = new Date(rows[0][0]).getHours();
  rows[0] = [...Array(missing).fill(null), ...rows[0]];
  return rows;
}

const range = (from, to) => Array.from({ length: (to - from) / HOUR }, (_, place) => from + place * HOUR);

function cell(hour, proof) {
  if (hour === null) return element("span", { class: "cell none" });
  if (proof === undefined) return element("span", { class: "cell empty", title: `${hourText(hour)}: no events` });
  const made = element("button", {
    type: "button",
    class: `cell ${proof.state}`,
    "data-hour": hour,
    "aria-label": `${hourText(hour)}, ${proof.state}, ${number(proof.events)} events`,
  }, STATES.get(proof.state)?.[0] ?? "?");
  made.proof = proof;
  return made;
}

function legend(proofs) {
  const counts = new Map();
  for (const proof of proofs) counts.set(proof.state, (counts.get(proof.state) ?? 0) + 1);
  const told = [...STATES].filter(([state]) => counts.has(state));
  $("proof-legend").replaceChildren(...told.map(([state, [letter, meaning]]) => element("span", { title: meaning },
    element("span", { class: `cell ${state}`, "aria-hidden": "true" }, letter), ` ${number(counts.get(state))} ${state} `)));
}

function tell(button) {
  const { hour, state, events, digest, verified_at: verified, sealed_at: sealed } = button.proof;
  chosen = Number(button.dataset.hour);
  const when = sealed ? `sealed ${secondText(sealed)}` : verified ? `verified ${secondText(verified)}` : "never verified";
  $("proof-detail").replaceChildren(
    element("strong", {}, `${hourText(hour)}: ${state}`), `, ${STATES.get(state)?.[1] ?? ""}. ${number(events)} events, ${when}. Digest `,
    element("code", {}, digest));
}

function move(event) {
  const buttons = [...$("strip").querySelectorAll("button")];
  const place = buttons.indexOf(document.activeElement);
  const down = $("strip").className === "columns" ? 1 : DAY;
  const across = $("strip").className === "columns" ? DAY : 1;
  const steps = new Map([["ArrowRight", across], ["ArrowLeft", -across], ["ArrowDown", down], ["ArrowUp", -down],
    ["Home", -buttons.length], ["End", buttons.length]]);
  if (place < 0 || !steps.has(event.key)) return;
  event.preventDefault();
  const next = buttons[Math.min(Math.max(place + steps.get(event.key), 0), buttons.length - 1)];
  buttons[place].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

$("strip").addEventListener("keydown", move);
for (const happened of ["focusin", "click", "mouseover"]) {
  $("strip").addEventListener(happened, (event) => { if (event.target.proof) tell(event.target); });
}
