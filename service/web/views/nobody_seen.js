// What Retention shows when a range has no cohorts: why, and what to do.

import { element } from "../core/dom.js";
import { isFiltered } from "../core/state.js";
import { WHOSE } from "./cohort_table.js";

const NAMELESS = "No event in this range names a user: count visitors instead, or call hourledger.identify().";

// answer: of `GET /api/analytics/cohorts`. totals: of the summary of the same range. choose(per): count those. Returns nodes.
export function nobodySeen({ by }, totals, state, choose) {
  const filtered = isFiltered(state);
  const isNameless = by === "user" && !filtered && Number(totals.events) > 0 && Number(totals.users) === 0;
  if (!isNameless) {
    const hint = filtered ? "Choose a longer range, or remove a filter." : "Choose a longer range.";
    return [element("p", [["class", "nothing"]], `No ${WHOSE.get(by)} were first seen in this range. ${hint}`)];
  }
  const button = element("button", [["type", "button"], ["class", "plain"]], "Count visitors");
  button.addEventListener("click", () => choose("visitor"));
  return [element("p", [["class", "nothing"]], NAMELESS), button];
}
