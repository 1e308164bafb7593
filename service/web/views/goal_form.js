// The form that saves a goal. Without goals it says what one is, and offers examples.

import { send } from "../core/api.js";
import { element, hide, write } from "../core/dom.js";
import { LONGEST_SEGMENT_NAME } from "../core/definitions.js";
import { Question } from "../core/request.js";
import { pathOf } from "./goal_rates.js";
import { field } from "./settings_parts.js";
import { keysOf, propertiesOf } from "./suggestions.js";

const EXAMPLES = [
  { title: "A page", text: "Visits that view /thanks, the page after an order.", goal: { name: "Order", path: "/thanks" } },
  { title: "An event", text: "Sign-ups for the plan pro, with what they pay.",
    goal: { name: "Sign-up", event_type: "signup", where: "properties.plan = pro", value: "properties.revenue" } },
];
// Which field shows that a goal names nothing to reach.
const OF_ALL = { goal: "event_type" };

// Says what is wrong beside the field that the service names.
class Saving extends Question {
  fail(error) {
    const input = this.part.elements[OF_ALL[error.field] ?? error.field];
    (input?.closest("label") ?? this.part.lastChild).after(this.said);
    super.fail(error);
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", this.said.id);
    input?.focus();
  }

  clear() {
    hide(this.said, true);
    for (const input of this.part.querySelectorAll("[aria-invalid]")) {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
  }
}

// toggled(isOpen): it has opened or closed. closed(): the reader closed it from inside. saved(): a goal was saved. Returns {node, know(names of goals), toggle(), leave()}.
export function goalForm(page, { toggled, closed, saved }) {
  const lists = ["types", "pages", "values"].map((name) => element("datalist", [["id", `goal-${name}`]]));
  const fields = [
    field("Name", "name", ["maxlength", LONGEST_SEGMENT_NAME], ["required", ""], ["pattern", "(?!\\.{1,2}$)[^\\/]+"],
      ["title", "A name without slashes, and not . or .."]),
    field("Event type", "event_type", ["maxlength", "128"], ["list", "goal-types"]),
    field("Page that is viewed", "path", ["list", "goal-pages"], ["placeholder", "/thanks"]),
    field("Condition", "where", ["placeholder", "properties.plan = pro"]),
    field("Property with its value", "value", ["list", "goal-values"], ["placeholder", "properties.revenue"]),
  ];
  const said = element("p", [["id", "goal-said"], ["role", "alert"], ["class", "said"], ["hidden", ""]]);
  const save = element("button", [["class", "primary"]], "Save");
  const form = element("form", [["class", "new"], ["aria-label", "New goal"]], ...fields.map(({ node }) => node), save, ...lists);
  const examples = EXAMPLES.map(({ title, text, goal }) => {
    const button = element("button", [["type", "button"], ["class", "plain"]], element("strong", [], title), ` ${text}`);
    button.addEventListener("click", () => {
      for (const { input } of fields) input.value = goal[input.name] ?? "";
      name.focus();
    });
    return element("li", [], button);
  });
  const about = element("div", [["class", "about-goals"]],
    element("p", [], "A goal is something that visits should reach: a page that they view, or an event, such as a sign-up. This view then counts "
      + "how many visitors and sessions reach it, and by which source, campaign or property."),
    element("p", [["class", "quiet"]], "Begin with an example:"), element("ul", [["class", "buttons"]], ...examples));
  const node = element("div", [["id", "goal-form"], ["hidden", ""]], about, form,
    element("p", [["class", "quiet"]], "An event reaches the goal when it passes all that you give: event type, page, condition."));
  const [{ input: name }] = fields;
  const saving = new Saving(form, said, page, { failed: "Could not save the goal" });
  let names = [];

  const show = (isShown) => {
    hide(node, !isShown);
    toggled(isShown);
    if (isShown) suggest(lists, page.state());
  };
  const toggle = () => {
    show(node.hidden);
    if (!node.hidden) name.focus();
  };
  name.addEventListener("input", () => write(save, names.includes(name.value) ? "Replace" : "Save"));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !names.length) return;
    show(false);
    closed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    saving.clear();
    const body = Object.fromEntries(fields.slice(1).map(({ input }) => [input.name, input.value.trim()]).filter(([, value]) => value));
    saving.ask((signal) => send("PUT", pathOf(name.value), body, signal), () => {
      form.reset();
      write(save, "Save");
      show(false);
      saved();
    });
  });
  return {
    node, toggle,
    leave: () => saving.stop(),
    know(known) {
      const hadSome = names.length;
      names = known;
      hide(about, known.length > 0);
      if (!known.length) show(true);
      else if (!hadSome && !name.value) show(false);
    },
  };
}

async function suggest([types, pages, values], state) {
  const fill = (list, texts) => list.replaceChildren(...texts.map((text) => element("option", [["value", text]])));
  const keys = async (list, by) => fill(list, (await keysOf(by, state)).map(({ key }) => key));
  const numbers = async () => fill(values, (await propertiesOf(state)).filter(({ types: found }) => found.number).map(({ property }) => `properties.${property}`));
  await Promise.all([keys(types, "event_type"), keys(pages, "properties.path"), numbers()]);
}
