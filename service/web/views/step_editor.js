// The list of steps. Each can be changed, narrowed, moved and removed, by pointer and by keyboard.
// A step is a list of conditions: the first is picked, the others are chips.

import { condition, joined, word } from "../core/condition_text.js";
import { MOST_STEPS, STEP_NAMES } from "../core/definitions.js";
import { element, find, write } from "../core/dom.js";
import { NAMES, chip } from "../core/filter_chips.js";
import { conditionForm } from "./condition_form.js";
import { keysOf } from "./suggestions.js";

const MOST_SHOWN = 120;

const option = (text) => element("option", [["value", text]], text.slice(0, MOST_SHOWN));

// list: an <ol>. adding: a <select> that adds a step.
export class StepList {
  constructor(list, adding, page) {
    this.list = list;
    this.adding = adding;
    this.page = page;
    this.picks = [];
    this.drawn = null;
    this.narrowed = null;
    // The place and part that get the focus after the next drawing.
    this.wanted = null;
    adding.addEventListener("change", () => {
      const picked = adding.value;
      adding.value = "";
      if (picked) this.become([...this.steps(), [picked]], this.steps().length, "pick", "added");
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
    const found = await Promise.all(STEP_NAMES.map((field) => keysOf(field, state)));
    const picks = STEP_NAMES.map((field, place) => [field, found[place].map(({ key }) => key)]).filter(([, keys]) => keys.length);
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
    return this.picks.map(([field, keys]) => element("optgroup", [["label", NAMES.get(field)]],
      ...keys.map((key) => option(condition(field, "=", [word(key)])))));
  }

  row(step, place, all) {
    const number = element("span", [["class", "step-number"], ["aria-hidden", "true"]], String(place + 1));
    const chips = step.slice(1).map((text, at) => chip(text, () => this.replace(place, step.toSpliced(at + 1, 1), "narrow")));
    const row = element("li", [["class", "step"], ["aria-label", `Step ${place + 1}: ${joined(step)}`]],
      element("div", [["class", "step-head"]], number, this.picker(step, place), this.moves(place, all)),
      ...(chips.length ? [element("ul", [["class", "chips"]], ...chips)] : []));
    row.append(this.narrowed === place ? this.narrowing(step, place) : this.narrower(place));
    return row;
  }

  picker(step, place) {
    const [picked, ...others] = step;
    const select = element("select", [["aria-label", `Step ${place + 1}`], ["data-part", "pick"], ["title", picked]], ...this.options());
    if (![...select.querySelectorAll("option")].some(({ value }) => value === picked)) {
      select.prepend(option(picked));
    }
    select.value = picked;
    select.addEventListener("change", () => this.replace(place, [select.value, ...others], "pick"));
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
    return element("span", [["class", "moves"]],
      button("up", "↑", "Move up", () => this.move(place, place - 1, "up"), place === 0),
      button("down", "↓", "Move down", () => this.move(place, place + 1, "down"), place === all - 1),
      button("remove", "×", "Remove", () => this.become(this.steps().toSpliced(place, 1), place, "remove", "removed"), false));
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

  narrowing(step, place) {
    const close = () => {
      this.narrowed = null;
      this.draw();
      this.focus(place, "narrow");
    };
    const { form } = conditionForm(this.page.state(), { cancel: close,
      done: ({ text }) => this.replace(place, [...step, text], "narrow") });
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    return form;
  }

  replace(place, step, part) {
    this.become(this.steps().with(place, step), place, part, "changed");
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
