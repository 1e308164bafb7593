// The retention view: how many of those first seen in each period returned.

import { get } from "../core/api.js";
import { element } from "../core/dom.js";
import { Question } from "../core/request.js";
import { scopeOf, withOption } from "../core/state.js";
import { zone } from "../core/format.js";
import { choice } from "./option_select.js";
import { hasSizes, triangle } from "./cohort_table.js";
import { nobodySeen } from "./nobody_seen.js";

const INTERVALS = [["day", "day"], ["week", "week"], ["month", "month"]];
const BY = [["user", "users"], ["visitor", "visitors"]];
const KINDS = [["bounded", "active in that period"], ["unbounded", "active then or later"]];

export function open(place, page) {
  const choose = (name) => (value) => page.change(withOption(page.state(), name, value));
  const choices = [
    choice("Count", "per", BY, choose), choice("Per", "interval", INTERVALS, choose),
    choice("Returned means", "retention", KINDS, choose),
  ];
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const again = element("button", [["type", "button"], ["class", "plain again"]], "Refresh");
  const shown = element("div", [["class", "triangle-place"]]);
  const panel = element("section", [["class", "panel"], ["aria-labelledby", "retention-title"]],
    element("div", [["class", "panel-head"]], element("h2", [["id", "retention-title"]], "Retention"),
      element("div", [["class", "choice-row"]], ...choices.map(({ node }) => node), again)), said, shown);
  place.append(panel);
  const question = new Question(panel, said, page);
  const view = {
    show(state) {
      const options = state.options.retention;
      for (const { show } of choices) show(options);
      const query = [["interval", options.interval], ["tz", zone], ["by", options.per], ["retention", options.retention], ...scopeOf(state)];
      question.askOnce(query, (signal) => read(query, state, signal),
        ([answer, totals]) => {
          page.answered();
          shown.replaceChildren(...(hasSizes(answer) ? triangle(answer, state) : nobodySeen(answer, totals, state, choose("per"))));
        }, () => shown.replaceChildren());
    },
    leave: () => question.forget(),
    again: () => {
      question.forget();
      view.show(page.state());
    },
  };
  again.addEventListener("click", view.again);
  return view;
}

// Returns the cohorts and, when there are none, the totals of the range.
async function read(query, state, signal) {
  const answer = await get("cohorts", query, signal);
  return [answer, hasSizes(answer) ? null : (await get("summary", scopeOf(state), signal)).totals];
}
