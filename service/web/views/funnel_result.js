// The answer of a funnel: a bar for each step, and a row for each group.

import { joined } from "../core/condition_text.js";
import { element } from "../core/dom.js";
import { NOTHING, count, counted, durationText, share } from "../core/format.js";
import { rangeNote } from "./range_note.js";

export class Outcome {
  constructor(page) {
    this.page = page;
    this.node = element("div", [["class", "outcome"]]);
  }

  explain(steps) {
    const text = steps ? "Add one more step to see how many reach it."
      : "Add two steps or more to see how many reach each of them, and how long they take.";
    this.node.replaceChildren(element("p", [["class", "nothing"]], text));
  }

  clear() {
    this.node.replaceChildren();
  }

  show(answer, state) {
    const [first] = answer.steps;
    if (!first.reached) {
      return this.node.replaceChildren(element("p", [["class", "nothing"]], `No ${answer.by}s reached the first step in this range.`));
    }
    const last = answer.steps.at(-1);
    const head = element("p", [["class", "headline"]], element("strong", [], share(last.rate_from_first)),
      ` of ${counted(first.reached, answer.by)} reached the last step`);
    const rows = answer.steps.map((step, place) => this.step(step, place, state, answer));
    const groups = answer.groups?.length ? [groupTable(answer.groups, state)] : [];
    this.node.replaceChildren(head, element("ol", [["class", "funnel"]], ...rows), ...groups,
      element("p", [["class", "note quiet"]], (groups.length ? `A ${answer.by} counts in the group of the event that was its first step. ` : "") + rangeNote(answer, state)));
  }

  step(step, place, state, { by, steps }) {
    const fill = element("span", [["class", "bar-fill"]]);
    fill.style.width = `${100 * (step.rate_from_first ?? 0)}%`;
    const title = joined(state.steps[place]);
    const bar = element("div", [["class", "bar"]], fill,
      element("span", [["class", "bar-key"], ["title", title]], `${place + 1}. ${title}`),
      element("span", [["class", "bar-number"]], `${count(step.reached)} · ${rate(step.rate_from_first)}`));
    const facts = place && step.reached ? [`${rate(step.rate_from_previous)} of the step before`,
      `median ${durationText(step.median_seconds)}`, `90% within ${durationText(step.p90_seconds)}`] : [];
    const next = place < steps.length - 1 ? this.dropped(step, by) : [];
    return element("li", [], bar, ...(facts.length ? [element("p", [["class", "quiet"]], facts.join(" · "))] : []), ...next);
  }

  // Those who reached this step and not the next.
  dropped(step, by) {
    if (!step.dropped) return [];
    const text = `${count(step.dropped)} did not reach the next step`;
    const ids = step.dropped_ids ?? [];
    if (!ids.length) return [element("p", [["class", "quiet"]], text)];
    const some = ids.length < step.dropped ? `, ${count(ids.length)} of them:` : ":";
    const buttons = ids.map((id) => {
      const button = element("button", [["type", "button"], ["class", "opens"], ["aria-haspopup", "dialog"]], id);
      button.addEventListener("click", () => this.page.change({ timeline: { of: by, id } }));
      return element("li", [], button);
    });
    return [element("details", [], element("summary", [["class", "quiet"]], text + some), element("ul", [["class", "ids"]], ...buttons))];
  }
}

const rate = (value) => (value === null || value === undefined ? NOTHING : share(value));

function groupTable(groups, state) {
  const head = element("tr", [], element("th", [["scope", "col"]], "Group"), ...state.steps.map((step, place) =>
    element("th", [["scope", "col"], ["title", joined(step)]], `Step ${place + 1}`)));
  const rows = groups.map(({ key, steps }) => element("tr", [], element("th", [["scope", "row"], ["title", key ?? "none"]], key ?? "(none)"),
    ...steps.map((step) => element("td", [], count(step.reached), " ", element("span", [["class", "quiet"]], rate(step.rate_from_first))))));
  return element("div", [["class", "scroll"], ["tabindex", "0"], ["role", "region"], ["aria-label", "Groups"]],
    element("table", [["class", "numbers"]], element("thead", [], head), element("tbody", [], ...rows)));
}
