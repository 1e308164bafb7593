// The living page of the system (`?view=components`): every size, colour and part in every state, drawn by the page's own styles.

import { element } from "../core/dom.js";
import { chip } from "../core/filter_chips.js";
import { PROOF_STATES } from "../core/definitions.js";
import { copyButton } from "../core/copy_button.js";
import { LETTERS } from "../overview/proof_grid.js";

const COLOURS = ["ground", "panel", "ink", "quiet", "line", "edge", "accent", "wash", "on-accent", "bad", "good", "glow",
  "line-1", "line-2", "line-3", "line-4", "line-5", "none", ...PROOF_STATES];
const SIZES = ["tiny", "small", "quiet", "body", "base", "head", "number", "large"];
const SPACES = ["half", "one", "two", "three", "four", "five", "six", "eight"];
const RADII = ["mark", "small", "control", "box", "panel", "round"];
const nothing = () => {};

export function open(place) {
  place.append(colours(), sizes(), buttons(), texts(), cards(), rows(), proofs(), dialogs());
  return { show: nothing, leave: nothing, again: nothing };
}

let made = 0;

function panel(title, ...contents) {
  made += 1;
  const id = `component-${made}`;
  return element("section", [["class", "panel"], ["aria-labelledby", id]], element("h2", [["id", id]], title), ...contents);
}

function styled(node, name, value) {
  node.style.setProperty(name, value);
  return node;
}

const states = (...nodes) => element("div", [["class", "states"]], ...nodes);

const colours = () => panel("Colours", element("ul", [["class", "swatches"]], ...COLOURS.map((name) => element("li", [],
  styled(element("span", [["class", "swatch-colour"]]), "background", `var(--${name})`), element("code", [], `--${name}`)))));

const sizes = () => panel("Type, spacing, radii", element("ul", [["class", "scale"]],
  ...SIZES.map((name) => element("li", [], element("code", [], `--text-${name}`), styled(element("span", [], "1,234 visitors"), "font-size", `var(--text-${name})`))),
  ...SPACES.map((name) => element("li", [], element("code", [], `--${name}`), styled(element("span", [["class", "space"]]), "width", `var(--${name})`))),
  ...RADII.map((name) => element("li", [], element("code", [], `--radius-${name}`), styled(element("span", [["class", "round"]]), "border-radius", `var(--radius-${name})`)))));

function button(name, text, ...attributes) {
  return element("button", [["type", "button"], ["class", name], ...attributes], text);
}

function buttons() {
  const group = element("div", [["class", "choices"], ["role", "group"], ["aria-label", "Choice"]],
    button("", "24 h of these", ["aria-pressed", "true"]), button("", "7 d of these", ["aria-pressed", "false"]));
  const tabs = element("div", [["class", "tabs"], ["role", "group"], ["aria-label", "Tabs"]],
    button("", "Page", ["aria-pressed", "true"]), button("", "Entry", ["aria-pressed", "false"]));
  const command = element("code", [["tabindex", "0"]], "make verify");
  return panel("Controls", states(button("primary", "Primary"), button("plain", "Plain"), button("plain", "Disabled", ["disabled", ""]), button("link", "Link"),
    button("icon", "↑", ["aria-label", "Icon"]), group, tabs),
  states(element("label", [["class", "choice"]], "Choice ", element("select", [], element("option", [], "one"), element("option", [], "two"))),
    element("label", [["class", "choice"]], "Text ", element("input", [["placeholder", "value"]])),
    element("label", [], element("input", [["type", "checkbox"], ["checked", ""]]), " Checked")),
  states(element("ul", [["class", "chips"]], chip("signup", nothing, "Type"), chip("properties.plan = pro", nothing))),
  element("p", [["class", "command"]], command, copyButton(command, { named: true })));
}

const texts = () => panel("Words", states(
  element("p", [], "Plain text."), element("p", [["class", "quiet"]], "Quiet text."), element("p", [["class", "said"]], "Something failed, and what to do."),
  element("strong", [["class", "doubt"]], "Each total stands on 1 wrong hour."), element("p", [["class", "nothing"]], "None in this range.")));

function card(name, value, change, sense, more = []) {
  return element("li", [], element("button", [["type", "button"], ["class", "card"], ["aria-pressed", String(name === "Pressed")]],
    element("span", [["class", "card-name"]], name), element("span", [["class", "card-value"]], value),
    element("span", [["class", "card-change quiet"], ["data-sense", sense]], change), element("span", [["class", "card-rest quiet"]], "\u00a0"), ...more));
}

const cards = () => panel("Numbers", states(element("ul", [["class", "cards"]], card("Better", "1,234", "▲ 12%", "better"), card("Worse", "98", "▼ 3.4%", "worse"),
  card("Pressed", "7", "unchanged", ""), card("Unknown", "–", "no earlier data", ""), card("Doubtful", "1,234", "▲ 12%", "better",
    [element("span", [["class", "card-wrong"], ["aria-hidden", "true"]], "!")]))));

function row(key, value, part, isPressed = false) {
  return element("li", [], element("button", [["type", "button"], ["class", "bar"], ["aria-pressed", String(isPressed)]],
    styled(element("span", [["class", "bar-fill"]]), "width", `${part}%`), element("span", [["class", "bar-key"]], key),
    element("span", [["class", "bar-number"]], value), element("span", [["class", "bar-share"]], `${Math.round(part / 2)}%`)),
  button("exclude", "−", ["aria-label", `Leave out ${key}`]));
}

function barsPanel(title, ...contents) {
  const made = panel(title, ...contents);
  made.className = "panel bars";
  return made;
}

const rows = () => panel("Panels", states(
  barsPanel("With rows", element("ol", [["class", "bar-list"]], row("/", "812", 100), row("/pricing", "240", 30, true), row("/a/very/long/path/that/does/not/fit/into/its/row/at/all", "64", 8))),
  barsPanel("Without rows", element("ol", [["class", "bar-list"]], element("li", [["class", "nothing"]], "None in this range."))),
  barsPanel("That failed", element("p", [["class", "fault"]], "This server cannot count this yet. Update it."), element("ol", [["class", "bar-list"]]))));

const proofs = () => panel("Proofs", element("ul", [["class", "legend"]], ...["none", ...PROOF_STATES].map((state) => element("li", [],
  element("span", [["class", `cell ${state}`], ["aria-hidden", "true"]], LETTERS.get(state) ?? ""), state))));

const dialogs = () => panel("Keys", states(element("kbd", [], "?"), element("span", [["class", "quiet"]], "opens the sheet of keys, which shows the look of a dialog.")));
