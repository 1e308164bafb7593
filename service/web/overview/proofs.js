// The panel of proofs: the strip, its counts, one hour in full, and how far the log is counted.

import { PROOF_STATES } from "../core/definitions.js";
import { element, find, write } from "../core/dom.js";
import { count, counted } from "../core/format.js";
import { HourProof } from "./hour_proof.js";
import { LETTERS } from "./proof_grid.js";
import * as strip from "./proof_strip.js";

const LEGEND = [...PROOF_STATES].reverse();

export function start(page) {
  const one = new HourProof(page);
  strip.start((cell) => one.show(cell));
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

// Lead to the cell of an hour.
export function lead(hour) {
  find("proofs").scrollIntoView({ block: "nearest" });
  strip.lead(hour);
}

function showCounts(proofs) {
  find("proof-legend").replaceChildren(...LEGEND.map((state) => element("li", [],
    element("span", [["class", `cell ${state}`], ["aria-hidden", "true"]], LETTERS.get(state) ?? ""),
    `${state} ${count(proofs.filter((proof) => proof.state === state).length)}`)));
}
