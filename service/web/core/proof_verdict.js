// The header says what all proofs of the range say. Cards and chart ask here which of their numbers stand on a wrong hour.

import { now } from "./clock.js";
import { FAILED_STATES } from "./definitions.js";
import { element, find } from "./dom.js";
import { count, counted } from "./format.js";
import { HOUR } from "./state.js";

let inRange = [];
let elsewhere = [];
// Wrong hours outside of the range, besides those that the answer names.
let more = 0;
let drawn = "";
let lead = null;
// How often the link was pressed: it leads to one wrong hour after the other.
let presses = 0;

// leadTo(hour): show that hour's proof.
export function start(leadTo) {
  lead = leadTo;
}

const wrongOf = (proofs) => proofs.filter(({ state }) => FAILED_STATES.includes(state))
  .map(({ hour, state }) => ({ hour: Date.parse(hour), state }));

// answer: of `GET /api/analytics/proofs`. Returns whether other hours are wrong than before.
export function show(answer) {
  const before = JSON.stringify([inRange, elsewhere]);
  inRange = wrongOf(answer.proofs);
  elsewhere = wrongOf(answer.failed_elsewhere);
  more = answer.more_failed_elsewhere;
  // An hour that is not over cannot be verified yet.
  draw(...wordsOf(answer.proofs.filter(({ hour }) => Date.parse(hour) + HOUR <= now())));
  return JSON.stringify([inRange, elsewhere]) !== before;
}

// What is known stays, because a wrong hour is not mended by an answer that did not come.
export function fail() {
  const known = inRange.length ? wrongText() : elsewhereText();
  draw(["Proofs could not be loaded", known].filter(Boolean).join("; last known: "), "");
}

function draw(text, title) {
  const place = find("verdict");
  place.dataset.state = inRange.length ? "wrong" : elsewhere.length ? "elsewhere" : "right";
  place.title = title;
  if (drawn === text) return;
  drawn = text;
  presses = 0;
  place.replaceChildren(text, ...(inRange.length || elsewhere.length ? [": ", link()] : []));
}

function link() {
  const made = element("a", [["href", "#proofs"]], "show");
  made.addEventListener("click", (event) => {
    event.preventDefault();
    const hours = inRange.length ? inRange : elsewhere;
    const { hour } = hours[presses % hours.length];
    presses += 1;
    lead(hour);
  });
  return made;
}

function wordsOf(over) {
  const waiting = over.filter(({ state }) => state === "open").length;
  const sealed = over.filter(({ state }) => state === "sealed").length;
  const title = [
    `${counted(over.length, "hour")} of the range ${areOver(over.length)}.`,
    sealed ? `${count(sealed)} of them ${sealed === 1 ? "is" : "are"} sealed: verified before their raw events left the log.` : "",
  ].filter(Boolean).join(" ");
  if (inRange.length) return [wrongText(), title];
  const right = rightText(over.length, waiting);
  return [[right, elsewhereText()].filter(Boolean).join(", "), title];
}

const areOver = (hours) => (hours === 1 ? "has events and is over" : "have events and are over");

function rightText(all, waiting) {
  if (!all) return "Each hour is verified once it is over";
  if (waiting) return `${count(all - waiting)} of ${counted(all, "hour")} verified, ${count(waiting)} waiting`;
  return all === 1 ? "1 hour verified" : `All ${counted(all, "hour")} verified`;
}

function wrongText() {
  const allDamaged = inRange.every(({ state }) => state === "damaged");
  return `${counted(inRange.length, "hour")} ${inRange.length === 1 ? "is" : "are"} ${allDamaged ? "damaged" : "wrong"}`;
}

const elsewhereText = () => (elsewhere.length ? `${counted(elsewhere.length + more, "wrong hour")} outside of the range` : "");

// The wrong hours among [since, until) that a number stands on. Raw events are right unless they are damaged.
const wrongWithin = (since, until, source) => [...inRange, ...elsewhere].filter(({ hour, state }) =>
  hour < Date.parse(until) && hour + HOUR > Date.parse(since) && (source === "rollups" || state === "damaged"));

export const standsOnWrong = ({ start, end }, source) => wrongWithin(start, end, source).length > 0;

// Says on how many wrong hours a number stands; empty for none.
export function wrongWords(since, until, source) {
  const wrong = wrongWithin(since, until, source);
  return wrong.length ? `stands on ${counted(wrong.length, "wrong hour")}` : "";
}
