// Says what was counted, and whether the range was cut.

import { HOUR, hoursOf } from "../core/state.js";
import { hourText } from "../core/format.js";

export function rangeNote({ source, from, to }, state) {
  const of = source === "rollups" ? "rollups" : "raw events";
  const isCut = Date.parse(to) - Date.parse(from) < hoursOf(state) * HOUR;
  return `From ${of}, ${hourText(from)} to ${hourText(to)}${isCut ? "; older data is no longer kept" : ""}.`;
}
