// The builder's list of steps: each can be changed, narrowed, moved and removed, by pointer and by keyboard.

import { element, find, write } from "../core/dom.js";
import { chip, nameOf, wordsOf } from "../core/filter_chips.js";
import { textOf } from "../core/conditions.js";
import { conditionForm } from "./condition_form.js";
import { keysOf } from "./suggestions.js";
import { MOST_STEPS, PICKED, joined, partsOf, stepOf, titleOf } from "./step_text.js";

const MOST_SHOWN = 120;

// list: an <ol>. change(steps): what they shall become.
export class StepList {
  constructor(list, adding, page) {
    this.list = list;
    this.adding = adding;
    this.page = page;
    this.picks = [];
    this.drawn = null;
    this.narrowed = null;
    // What has the focus when the steps are drawn anew.
    this.wanted = null;
    adding.addEventListener("change", () => {
      const step = adding.value;
      adding.value = "";
      if (step) this.become([...this.steps(), step], this.steps().length, "pick", "added");
    });
    list.addEventListener("keydown", (event) => this.moveByKey(event));
  }

  steps() {
    return this.page.state().steps;
  }

  become(steps, place, part, done) {
    this.narrowed = null;
    write(find("announcement"), `Step ${place + 1} ${done}.`);
    this.wanted = [place, part];
    this.page.change({ steps });
  }

  focus(place, part) {
    const row = this.list.children[Math.min(place, this.list.children.length - 1)];
    const wanted = row?.querySelector(`[data-part="${part}"]:not(:disabled)`) ?? row?.querySelector('[data-part="pick"]');
    (wanted ?? this.adding).focus();
  }

  async show(state) {
    this.draw();
    const found = await Promise.all(PICKED.map((field) => keysOf(field, state)));
    const picks = PICKED.map((field, place) => [field, found[place].map(({ key }) => key)]).filter(([, keys]) => keys.length);
    if (JSON.stringify(picks) === JSON.stringify(this.picks)) return;
    this.picks = picks;
    this.drawn = null;
    if (!this.narrowed) this.draw();
  }

  draw() {
    const steps = this.steps();
    const now = JSON.stringify([steps, this.narrowed]);
    if (now === this.drawn) return;
    this.drawn = now;
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const place = focused ? [...this.list.children].findIndex((row) => row.contains(focused)) : -1;
    this.list.replaceChildren(...steps.map((step, at) => this.row(step, at, steps.length)));
    const wanted = this.wanted ?? (focused ? [place, focused.dataset.part ?? "pick"] : null);
    this.wanted = null;
    this.adding.replaceChildren(element("option", [["value", ""]], steps.length ? "Add a step …" : "Add the first step …"), ...this.options());
    this.adding.disabled = steps.length >= MOST_STEPS;
    if (wanted) this.focus(...wanted);
  }

  options() {
    return this.picks.map(([field, keys]) => element("optgroup", [["label", nameOf(field)]],
      ...keys.map((key) => element("option", [["value", stepOf(field, key)]], key.slice(0, MOST_SHOWN)))));
  }

  row(step, place, all) {
    const { pick, rest } = partsOf(step);
    const number = element("span", [["class", "step-number"], ["aria-hidden", "true"]], String(place + 1));
    const chips = rest.map((condition) => chip(wordsOf(condition), () =>
      this.replace(place, joined(pick, rest.filter((other) => other !== condition)), "narrow", "changed")));
    const row = element("li", [["class", "step"], ["aria-label", `Step ${place + 1}: ${titleOf(step)}`]],
      element("div", [["class", "step-head"]], number, this.picker(pick, rest, place), ...this.moves(place, all)),
      ...(chips.length ? [element("ul", [["class", "chips"]], ...chips)] : []));
    row.append(this.narrowed === place ? this.narrowing(pick, rest, place) : this.narrower(place));
    return row;
  }

  picker(pick, rest, place) {
    const select = element("select", [["aria-label", `Step ${place + 1}`], ["data-part", "pick"]], ...this.options());
    const chosen = pick ? stepOf(pick.field, textOf(pick.values[0])) : "";
    if (![...select.querySelectorAll("option")].some((option) => option.value === chosen)) {
      select.prepend(element("option", [["value", chosen]], pick ? textOf(pick.values[0]).slice(0, MOST_SHOWN) : "Any event"));
    }
    select.value = chosen;
    select.addEventListener("change", () => this.replace(place, joined(partsOf(select.value).pick, rest), "pick", "changed"));
    return select;
  }

  moves(place, all) {
    const button = (part, sign, label, act, disabled) => {
      const made = element("button", [["type", "button"], ["class", "icon"], ["data-part", part], ["aria-label", `${label} step ${place + 1}`],
        ["title", label]], sign);
      made.disabled = disabled;
      made.addEventListener("click", act);
      return made;
    };
    return [
      button("up", "↑", "Move up", () => this.move(place, place - 1, "up"), place === 0),
      button("down", "↓", "Move down", () => this.move(place, place + 1, "down"), place === all - 1),
      button("remove", "×", "Remove", () => this.become(this.steps().toSpliced(place, 1), place, "remove", "removed"), false),
    ];
  }

  narrower(place) {
    const button = element("button", [["type", "button"], ["class", "plain"], ["data-part", "narrow"],
      ["aria-label", `Add a condition to step ${place + 1}`]], "+ condition");
    button.addEventListener("click", () => {
      this.narrowed = place;
      this.draw();
      this.list.children[place].querySelector("form select").focus();
    });
    return button;
  }

  narrowing(pick, rest, place) {
    const close = () => {
      this.narrowed = null;
      this.draw();
      this.focus(place, "narrow");
    };
    const taken = [pick, ...rest].map((condition) => condition?.field);
    const fields = PICKED.filter((field) => !taken.includes(field)).map((field) => [field, ["="]]);
    const { form } = conditionForm(this.page.state(), { fields, label: "Add", cancel: close,
      done: (condition) => this.replace(place, joined(pick, [...rest, condition]), "narrow", "changed") });
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    return form;
  }

  replace(place, step, part, done) {
    this.become(this.steps().with(place, step), place, part, done);
  }

  move(from, to, part) {
    const steps = [...this.steps()];
    if (to < 0 || to >= steps.length) return;
    steps.splice(to, 0, ...steps.splice(from, 1));
    this.become(steps, to, part, "moved here");
  }

  moveByKey(event) {
    const by = new Map([["ArrowUp", -1], ["ArrowDown", 1]]).get(event.key);
    const place = [...this.list.children].findIndex((row) => row.contains(event.target));
    if (!event.altKey || !by || place < 0) return;
    event.preventDefault();
    this.move(place, place + by, event.target.dataset.part ?? "pick");
  }
}
