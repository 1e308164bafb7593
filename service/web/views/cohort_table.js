// The table of cohorts: a row for each, with its size, and how many came back in each period after.
// The number is the carrier; the colour only repeats it. What is not over is marked.

import { element } from "../core/dom.js";
import { NOTHING, count, dayText, share } from "../core/format.js";
import { isFiltered } from "../core/state.js";
import { rangeNote } from "./range_note.js";

const month = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const STRONGEST = 45;
const TITLES = new Map([["day", "Day"], ["week", "Week"], ["month", "Month"]]);
const WHOSE = new Map([["user", "users"], ["visitor", "visitors"]]);

// cohorts: as `GET /api/analytics/cohorts` gives them. Returns nodes.
export function triangle(answer, state) {
  const { cohorts, interval, by } = answer;
  const whose = WHOSE.get(by);
  if (!cohorts.some(({ size }) => size)) {
    return [element("p", [["class", "nothing"]], `No ${whose} in this range. Choose a longer one, or take a filter away.`)];
  }
  const periods = Math.max(...cohorts.map(({ returned }) => returned.length));
  const places = Array.from({ length: periods }, (_, place) => place);
  const head = element("tr", [], element("th", [["scope", "col"]], "First came"), element("th", [["scope", "col"]], "Size"),
    ...places.map((place) => element("th", [["scope", "col"]], `${TITLES.get(interval)} ${place}`)));
  const rows = cohorts.map((cohort) => element("tr", [], element("th", [["scope", "row"]], startText(interval, cohort.start)),
    element("td", [["class", "size"]], count(cohort.size)), ...places.map((place) => cell(cohort, place))));
  const table = element("table", [["class", "triangle"]],
    element("caption", [["class", "unseen"]], `Retention of ${whose} by ${interval}`),
    element("thead", [], head), element("tbody", [], ...rows), element("tfoot", [], whole(cohorts, places)));
  return [
    element("div", [["class", "scroll"], ["tabindex", "0"], ["role", "region"], ["aria-label", "Retention"]], table),
    element("ul", [["class", "legend quiet"]],
      element("li", [], element("span", [["class", "swatch"]]), "stronger: more came back"),
      element("li", [], element("span", [["class", "swatch unfinished"]]), "dotted: not over, or cut to the range")),
    element("p", [["class", "note quiet"]], `${meaning(answer, state)} ${rangeNote(answer, state)}`),
  ];
}

const startText = (interval, start) => (interval === "month" ? month.format(new Date(start)) : dayText(start));

function cell({ size, returned, complete }, place) {
  if (place >= returned.length) return element("td");
  const isOver = complete[place];
  return filled(returned[place], size, isOver);
}

function filled(returned, size, isOver) {
  if (!size) return element("td", [["class", "quiet"]], NOTHING);
  const rate = returned / size;
  const made = element("td", [["class", isOver ? "heat" : "heat unfinished"], ["title", isOver ? "" : "not a whole period"]],
    element("span", [["class", "rate"]], share(rate)), element("span", [["class", "returned"]], count(returned)),
    ...(isOver ? [] : [element("span", [["class", "unseen"]], "not whole")]));
  // By its root, so that a few per cent can be told apart; a number stays readable on the strongest.
  made.style.setProperty("--heat", `${Math.round(Math.sqrt(rate) * STRONGEST)}%`);
  return made;
}

// Of all cohorts together, only of those for which a period is over.
function whole(cohorts, places) {
  const cells = places.map((place) => {
    const over = cohorts.filter(({ complete }) => complete[place]);
    const size = over.reduce((sum, cohort) => sum + cohort.size, 0);
    return filled(over.reduce((sum, { returned }) => sum + returned[place], 0), size, true);
  });
  return element("tr", [], element("th", [["scope", "row"], ["title", "Of the cohorts for which the period is over"]], "All that are over"),
    element("td", [["class", "size"]], count(cohorts.reduce((sum, { size }) => sum + size, 0))), ...cells);
}

function meaning({ retention, by }, state) {
  const means = retention === "bounded" ? "A cell counts those who came back in that period."
    : "A cell counts those who came back in that period or in a later one.";
  const filtered = isFiltered(state) ? " Filters are of the first event." : "";
  const visitors = by === "visitor" ? " A visitor is a user, or a session that names none." : "";
  return `${means}${filtered}${visitors}`;
}
