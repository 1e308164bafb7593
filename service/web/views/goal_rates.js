// The numbers of goals as bars, and one goal's rates by source, campaign or any property.

import { get } from "../core/api.js";
import { element, hide } from "../core/dom.js";
import { NOTHING, count, counted, exactText, share } from "../core/format.js";
import { nameOf } from "../core/key_names.js";
import { include, isFilter, isIncluded } from "../core/row_filters.js";
import { Question } from "../core/request.js";
import { scopeOf, withOption } from "../core/state.js";
import { choice } from "./option_select.js";
import { propertiesOf } from "./suggestions.js";

const SOURCE = "properties.$source";
const BY = [["", "source"], ["properties.$channel", "channel"], ["properties.utm_campaign", "campaign"], ["entry_page", "entry page"],
  ["event_type", "event type"]];
const KNOWN = [SOURCE, ...BY.map(([by]) => by)];
const MOST_GROUPS = "20";
// Stands for several keys.
const OTHER = "(other)";

export const pathOf = (name) => `goals/${encodeURIComponent(name)}`;

// answer: numbers of conversions. goal: with the name of the property that it is worth. Returns nodes.
export function figures(answer, goal) {
  const { visitors, sessions, value } = answer;
  return [
    bar(answer.reached_visitors, visitors, answer.rate_visitors, "visitor"), bar(answer.reached_sessions, sessions, answer.rate_sessions, "session"),
    ...(value === null ? [] : [element("p", [["class", "worth"]], exactText(value), " ", element("bdi", [["class", "quiet"]], goal.value))]),
  ];
}

function bar(reached, of, rate, noun) {
  const fill = element("span", [["class", "bar-fill"]]);
  fill.style.width = `${100 * (rate ?? 0)}%`;
  return element("div", [["class", "bar"]], fill, element("span", [["class", "bar-key"]], `${count(reached)} of ${counted(of, noun)}`),
    element("span", [["class", "bar-number"]], rate === null ? NOTHING : share(rate)));
}

export class Rates {
  constructor(page) {
    this.page = page;
    this.by = choice("By", "by", BY, (name) => (value) => page.change(withOption(page.state(), name, value)));
    this.said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
    this.list = element("ol", [["class", "goals outcome"], ["aria-label", "Rates"]]);
    this.node = element("div", [["class", "rates"]], this.by.node, this.said, this.list);
    this.question = new Question(this.node, this.said, page);
    this.goal = null;
  }

  show(state, goal) {
    if (this.goal !== goal.name) this.list.replaceChildren();
    this.goal = goal.name;
    const { by: asked } = state.options.goals;
    const by = asked || SOURCE;
    hide(this.node, false);
    this.by.show(state.options.goals);
    this.offer(state);
    const query = [...scopeOf(state), ["by", by], ["limit", MOST_GROUPS]];
    this.question.askOnce([goal, query], (signal) => get(`${pathOf(goal.name)}/conversions`, query, signal),
      ({ groups }) => this.draw(groups, goal, by, state), () => this.list.replaceChildren());
  }

  leave() {
    this.forget();
    hide(this.node, true);
  }

  forget() {
    this.question.forget();
  }

  async offer(state) {
    const properties = await propertiesOf(state);
    this.by.add("Properties", properties.map(({ property }) => [`properties.${property}`, property]).filter(([by]) => !KNOWN.includes(by)));
    this.by.show(this.page.state().options.goals);
  }

  // The focused key keeps the focus.
  draw(groups, goal, by, state) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const rows = groups.map((group) => element("li", [], this.keyOf(group.key, by, state), element("div", [["class", "figures"]], ...figures(group, goal))));
    this.list.replaceChildren(...(rows.length ? rows : [element("li", [["class", "nothing"]], "None in this range.")]));
    if (focused !== null) [...this.list.querySelectorAll("button")].find(({ dataset }) => dataset.key === focused)?.focus();
  }

  // A key is a filter of the whole page, unless it stands for several.
  keyOf(key, by, state) {
    const name = element("bdi", [], nameOf(by, key));
    if (key === OTHER || !isFilter(by)) return element("span", [["class", "rate-key"]], name);
    const button = element("button", [["type", "button"], ["class", "opens rate-key"], ["data-key", key],
      ["aria-pressed", String(isIncluded(state, by, key))], ["title", "Show only these"]], name);
    button.addEventListener("click", () => this.page.change(include(this.page.state(), by, key)));
    return button;
  }
}
