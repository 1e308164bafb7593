// The table of cohorts: a row for each, with its size, and how many returned in each period after.
// Numbers carry the meaning; the colour only repeats it. Incomplete periods are marked.

import { element } from "../core/dom.js";
import { NOTHING, count, dayText, monthText, share } from "../core/format.js";
import { isFiltered } from "../core/state.js";
import { rangeNote } from "./range_note.js";

const STRONGEST = 45;
const SUMS = "In the last row, each column adds up the cohorts whose period is complete; Size adds up all cohorts.";
const TITLES = new Map([["day", "Day"], ["week", "Week"], ["month", "Month"]]);
export const WHOSE = new Map([["user", "users"], ["visitor", "visitors"]]);

export const hasSizes = ({ cohorts }) => cohorts.some(({ size }) => size);

// answer: of `GET /api/analytics/cohorts`, in which some cohort has a size. Returns nodes.
export function triangle(answer, state) {
  const { cohorts, interval, by } = answer;
  const whose = WHOSE.get(by);
  const periods = Math.max(...cohorts.map(({ returned }) => returned.length));
  const places = Array.from({ length: periods }, (_, place) => place);
  const head = element("tr", [], element("th", [["scope", "col"]], "First seen"), element("th", [["scope", "col"]], "Size"),
    ...places.map((place) => element("th", [["scope", "col"]], `${TITLES.get(interval)} ${place}`)));
  const rows = cohorts.map((cohort) => element("tr", [], element("th", [["scope", "row"]], startText(interval, cohort.start)),
    element("td", [["class", "size"]], count(cohort.size)), ...places.map((place) => cell(cohort, place))));
  const table = element("table", [["class", "triangle"]],
    element("caption", [["class", "unseen"]], `Retention of ${whose} by ${interval}`),
    element("thead", [], head), element("tbody", [], ...rows), element("tfoot", [], whole(cohorts, places)));
  return [
    element("div", [["class", "scroll"], ["tabindex", "0"], ["role", "region"], ["aria-label", "Retention"]], table),
    element("ul", [["class", "legend quiet"]],
      element("li", [], element("span", [["class", "swatch"]]), "stronger: more returned"),
      element("li", [], element("span", [["class", "swatch unfinished"]]), "incomplete: not over yet, or only partly in the range")),
    element("p", [["class", "note quiet"]], `${meaning(answer, state)} ${SUMS} ${rangeNote(answer, state)}`),
  ];
}

const startText = (interval, start) => (interval === "month" ? monthText(start) : dayText(start));

function cell({ size, returned, complete }, place) {
  if (place >= returned.length) return element("td");
  const isOver = complete[place];
  return filled(returned[place], size, isOver);
}

function filled(returned, size, isOver) {
  if (!size) return element("td", [["class", "quiet"]], NOTHING);
  const rate = returned / size;
  const made = element("td", [["class", isOver ? "heat" : "heat unfinished"], ["title", isOver ? "" : "incomplete period"]],
    element("span", [["class", "rate"]], share(rate)), element("span", [["class", "returned"]], count(returned)),
    ...(isOver ? [] : [element("span", [["class", "unseen"]], "incomplete")]));
  // The square root tells small rates apart. A number stays readable on the strongest colour.
  made.style.setProperty("--heat", `${Math.round(Math.sqrt(rate) * STRONGEST)}%`);
  return made;
}

// All cohorts together. Each column counts only the cohorts whose period is complete.
function whole(cohorts, places) {
  const cells = places.map((place) => {
    const over = cohorts.filter(({ complete }) => complete[place]);
    const size = over.reduce((sum, cohort) => sum + cohort.size, 0);
    return filled(over.reduce((sum, { returned }) => sum + returned[place], 0), size, true);
  });
  return element("tr", [], element("th", [["scope", "row"], ["title", SUMS]], "All cohorts, complete periods"),
    element("td", [["class", "size"]], count(cohorts.reduce((sum, { size }) => sum + size, 0))), ...cells);
}

function meaning({ retention, by }, state) {
  const later = retention === "bounded" ? "" : " or in a later one";
  const means = `A cell counts the ${WHOSE.get(by)} who were active in that period${later}.`;
  const filtered = isFiltered(state) ? " Filters apply to the first event." : "";
  const visitors = by === "visitor" ? " A visitor is a user, or a session without a user." : "";
  return `${means}${filtered}${visitors}`;
}
