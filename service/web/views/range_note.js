// Which events were counted, and whether they are fewer than was asked for.

import { HOUR, hoursOf } from "../core/state.js";
import { hourText } from "../core/format.js";

export function rangeNote({ source, from, to }, state) {
  const of = source === "rollups" ? "rollups" : "raw events";
  const isCut = Date.parse(to) - Date.parse(from) < hoursOf(state) * HOUR;
  return `From ${of}, ${hourText(from)} to ${hourText(to)}${isCut ? "; nothing is kept of the time before" : ""}.`;
}
