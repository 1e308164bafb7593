// The proofs: the strip, its counts, one hour in full, and how far the log is counted.

import { PROOF_STATES } from "../core/definitions.js";
import { element, find, write } from "../core/dom.js";
import * as strip from "./proof_strip.js";
import { count, counted } from "../core/format.js";

const HINT = "Choose an hour to see its count, its digest and when it was verified.";

export function start() {
  strip.start((cell) => write(find("proof"), cell ? strip.textOf(cell) : HINT));
  write(find("proof"), HINT);
  showCounts([]);
}

export function frame(hours) {
  strip.frame(hours);
}

export function show(answer) {
  strip.frame([Date.parse(answer.from), Date.parse(answer.to)]);
  strip.show(answer.proofs);
  showCounts(answer.proofs);
  const { positions, lag_events: lag } = answer.as_of;
  const where = positions.length === 1 ? "position" : "positions";
  write(find("as-of"), `complete to ${where} ${positions.join(", ")} · lag ${counted(lag, "event")}`);
}

function showCounts(proofs) {
  find("proof-legend").replaceChildren(...PROOF_STATES.map((state) => element("li", [],
    element("span", [["class", `cell ${state}`], ["aria-hidden", "true"]], strip.LETTERS.get(state) ?? ""),
    `${state} ${count(proofs.filter((proof) => proof.state === state).length)}`)));
}
