// The goals view: how many visitors and sessions reach each goal of the site. A goal opens to its rates by source or any property.

import { Refused, get } from "../core/api.js";
import { element, write } from "../core/dom.js";
import { Question } from "../core/request.js";
import { scopeOf, withOption } from "../core/state.js";
import { goalForm } from "./goal_form.js";
import { Rates, figures, pathOf } from "./goal_rates.js";
import { rangeNote } from "./range_note.js";
import { removal } from "./settings_parts.js";

const AT_ONCE = 2;
// Each goal is a question about raw events.
const MOST_COUNTED = 30;
const UNAUTHORIZED = 401;
const MEANING = "Filters choose the visits. A visit reaches a goal by any of its events in the range. A visitor is a user, or a session without a user.";

export function open(place, page) {
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const again = element("button", [["type", "button"], ["class", "plain again"]], "Refresh");
  const add = element("button", [["type", "button"], ["class", "plain again"], ["aria-expanded", "false"], ["aria-controls", "goal-form"]], "New goal");
  const list = element("ul", [["class", "goals outcome"], ["aria-label", "Goals"]]);
  const note = element("p", [["class", "note quiet"]]);
  const form = goalForm(page, { toggled: (isOpen) => add.setAttribute("aria-expanded", String(isOpen)), closed: () => add.focus(), saved: () => changed() });
  const panel = element("section", [["class", "panel"], ["aria-labelledby", "goals-title"]],
    element("div", [["class", "panel-head"]], element("h2", [["id", "goals-title"]], "Goals"),
      element("div", [["class", "choice-row"]], again, add)), form.node, said, list, note);
  place.append(panel);
  const question = new Question(panel, said, page);
  const rates = new Rates(page);
  // The row of each goal by its name, once they are known.
  let rows = null;
  let drawn = null;

  const chosen = () => page.state().options.goals.goal;
  const forget = () => {
    rates.leave();
    list.replaceChildren();
    write(note, "");
    rows = drawn = null;
  };
  const changed = () => {
    view.again();
    add.focus();
  };
  const removed = (name) => {
    if (name === chosen()) page.change(withOption(page.state(), "goal", ""));
    changed();
  };
  const draw = (goals) => {
    const now = JSON.stringify(goals);
    if (now === drawn) return;
    drawn = now;
    rows = new Map(goals.map((goal) => [goal.name, rowOf(goal, page, removed)]));
    list.replaceChildren(...[...rows.values()].map(({ node }) => node));
    form.know([...rows.keys()]);
  };
  const openChosen = (state) => {
    if (!rows) return;
    const { goal } = state.options.goals;
    for (const [name, row] of rows) row.mark(name === goal);
    const row = rows.get(goal);
    if (!row) return rates.leave();
    if (rates.node.parentNode !== row.node) row.node.append(rates.node);
    rates.show(state, row.goal);
  };
  const read = async (state, signal) => {
    const { goals } = await get("goals", [], signal);
    if (signal.aborted) return null;
    draw(goals);
    openChosen(page.state());
    const queue = goals.slice(0, MOST_COUNTED).map(({ name }) => rows.get(name));
    let range = null;
    const work = async () => {
      for (let row = queue.shift(); row && !signal.aborted; row = queue.shift()) range = await count(row, state, signal) ?? range;
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { goals, range };
  };
  const view = {
    show(state) {
      question.askOnce(scopeOf(state), (signal) => read(state, signal), ({ goals, range }) => {
        page.answered();
        for (const { name } of goals.slice(MOST_COUNTED)) rows.get(name).say(`Open this goal to count it. The list counts the first ${MOST_COUNTED}.`);
        const missing = chosen() && !rows.has(chosen()) ? `There is no goal ${chosen()}. ` : "";
        write(note, missing + (range ? `${MEANING} ${rangeNote(range, state)}` : ""));
      }, forget);
      openChosen(state);
    },
    leave: () => {
      question.forget();
      rates.leave();
      form.leave();
    },
    again: () => {
      question.forget();
      rates.forget();
      view.show(page.state());
    },
  };
  again.addEventListener("click", view.again);
  add.addEventListener("click", form.toggle);
  return view;
}

// Writes the numbers of a goal into its row. Returns the answer, or null when the service refuses this goal alone.
async function count(row, state, signal) {
  try {
    const answer = await get(`${pathOf(row.goal.name)}/conversions`, scopeOf(state), signal);
    if (!signal.aborted) row.fill(answer);
    return answer;
  } catch (error) {
    if (!(error instanceof Refused) || error.status === UNAUTHORIZED) throw error;
    row.say(`Could not count this: ${error.message}`);
    return null;
  }
}

const meaningOf = ({ event_type: type, path, where }) =>
  [path && `page ${path}`, type && `event ${type}`, where].filter(Boolean).join(" and ");

function rowOf(goal, page, removed) {
  const open = element("button", [["type", "button"], ["class", "goal-name"], ["aria-expanded", "false"]], element("bdi", [], goal.name));
  const numbers = element("div", [["class", "figures"]]);
  const node = element("li", [], element("div", [["class", "goal-head"]], open, element("bdi", [["class", "quiet"]], meaningOf(goal)),
    removal("Delete", goal.name, pathOf(goal.name), page, () => removed(goal.name))), numbers);
  const mark = (isOpen) => open.setAttribute("aria-expanded", String(isOpen));
  open.addEventListener("click", () =>
    page.change(withOption(page.state(), "goal", open.getAttribute("aria-expanded") === "true" ? "" : goal.name)));
  return {
    goal, node, mark,
    fill: (answer) => numbers.replaceChildren(...figures(answer, goal)),
    say: (text) => numbers.replaceChildren(element("p", [["class", "quiet"]], text)),
  };
}
