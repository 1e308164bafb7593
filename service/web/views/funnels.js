// The funnel view: the steps and how to count them on one side, the answer on the other.

import { send } from "../core/api.js";
import { joined } from "../core/condition_text.js";
import { element, hide } from "../core/dom.js";
import { Question } from "../core/request.js";
import { filtersOf, rangeOf, withOption } from "../core/state.js";
import { choice } from "./option_select.js";
import { Outcome } from "./funnel_result.js";
import { propertiesOf } from "./suggestions.js";
import { StepList } from "./step_editor.js";

const FEWEST_STEPS = 2;
const WINDOWS = [["30", "30 minutes"], ["60", "an hour"], ["360", "6 hours"], ["1440", "a day"], ["10080", "7 days"],
  ["20160", "14 days"], ["43200", "30 days"]];
const BY = [["session", "sessions"], ["user", "users"]];
const ORDERS = [["loose", "other events allowed"], ["strict", "no other events"]];
const BREAKDOWNS = [["", "No split"], ["event_type", "type"], ["tool_name", "tool"], ["action", "action"], ["risk_mode", "risk mode"]];

export function open(place, page) {
  const choose = (name) => (value) => page.change(withOption(page.state(), name, value));
  const choices = [
    choice("Count", "per", BY, choose), choice("Within", "window", WINDOWS, choose),
    choice("Between", "order", ORDERS, choose), choice("Split by", "breakdown", BREAKDOWNS, choose),
  ];
  const list = element("ol", [["class", "steps"], ["aria-label", "Steps"]]);
  const adding = element("select", [["aria-label", "Add a step"], ["class", "adding"]]);
  const builder = element("section", [["class", "panel builder"], ["aria-labelledby", "steps-title"]],
    element("h2", [["id", "steps-title"]], "Steps"), list, adding,
    element("div", [["class", "choice-rows"]], ...choices.map(({ node }) => node)));
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const again = element("button", [["type", "button"], ["class", "plain again"]], "Refresh");
  const outcome = new Outcome(page);
  const result = element("section", [["class", "panel"], ["aria-labelledby", "funnel-title"]],
    element("div", [["class", "panel-head"]], element("h2", [["id", "funnel-title"]], "Funnel"), again), said, outcome.node);
  place.append(builder, result);

  const steps = new StepList(list, adding, page);
  const question = new Question(result, said, page);
  const view = {
    show(state) {
      for (const { show } of choices) show(state.options.funnels);
      steps.show(state);
      addProperties(choices[3], state);
      const body = bodyFor(state);
      hide(again, body === null);
      if (body === null) {
        question.forget();
        return outcome.explain(state.steps.length);
      }
      question.askOnce(body, (signal) => send("POST", "funnels", body, signal), (answer) => {
        page.answered();
        outcome.show(answer, state);
      },
        () => outcome.clear());
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

// The body of the question, or null with too few steps.
function bodyFor(state) {
  if (state.steps.length < FEWEST_STEPS) return null;
  const { window, per, order, breakdown } = state.options.funnels;
  const range = Object.fromEntries(rangeOf(state).map(([name, value]) => [name, name === "hours" ? Number(value) : value]));
  return {
    steps: state.steps.map((step) => ({ where: joined(step) })), window_minutes: Number(window), by: per, order, ...range,
    ...(breakdown ? { breakdown } : {}),
    filters: Object.fromEntries(filtersOf(state)),
  };
}

async function addProperties({ add, show }, state) {
  const properties = await propertiesOf(state);
  add("Properties", properties.map(({ property }) => [`properties.${property}`, property]));
  show(state.options.funnels);
}
