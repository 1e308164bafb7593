// The reader's choices: which panels and numbers there are, in which order, which property is a panel, and the colours.
// This browser keeps them.

import { element } from "../core/dom.js";
import * as cardChoice from "../overview/card_choice.js";
import * as kinds from "../overview/panel_kinds.js";
import * as panels from "../overview/panels.js";
import { propertiesOf } from "./suggestions.js";

const THEMES = [["", "as the browser"], ["light", "light"], ["dark", "dark"], ["contrast", "high contrast"]];

export function open(place, page, close) {
  const list = element("ol", [["class", "arranged"], ["aria-label", "Panels"]]);
  const numbers = element("ul", [["class", "arranged numbers-shown"], ["aria-label", "Numbers"]]);
  const pinned = element("select", [["aria-label", "Add a property as a panel"], ["class", "adding"]]);
  const colours = element("select", [["id", "theme"]], ...THEMES.map(([value, text]) => element("option", [["value", value]], text)));
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const reset = element("button", [["type", "button"], ["class", "plain"]], "As it was");

  const changed = () => {
    panels.arrange();
    panels.readNew();
    page.doubt();
    draw();
  };
  const draw = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.ariaLabel : null;
    list.replaceChildren(...kinds.panels(panels.isWeb()).map((kind) => panelRow(kind, changed)));
    numbers.replaceChildren(...cardChoice.cards(panels.isWeb()).map((card) => numberRow(card, changed)));
    [...list.querySelectorAll("button")].find((button) => button.ariaLabel === focused)?.focus();
  };
  pinned.addEventListener("change", () => {
    if (pinned.value) kinds.pin(pinned.value);
    pinned.value = "";
    changed();
  });
  colours.value = globalThis.hourledgerTheme.kept();
  colours.addEventListener("change", () => globalThis.hourledgerTheme.choose(colours.value));
  reset.addEventListener("click", () => {
    kinds.reset();
    cardChoice.reset();
    changed();
  });
  leave.addEventListener("click", close);
  offer(pinned, page.state());
  place.append(element("h2", [["class", "unseen"]], "Arrange"), element("div", [["class", "arranging"]],
    element("section", [], element("h3", [], "Panels"), list, pinned),
    element("section", [], element("h3", [], "Numbers"), numbers),
    element("section", [], element("h3", [], "Colours"), element("label", [["class", "choice"], ["for", "theme"]], "Show ", colours),
      element("p", [["class", "quiet"]], "This browser keeps these choices."), element("div", [["class", "buttons"]], reset, leave))));
  draw();
  list.querySelector("input")?.focus();
  return { refresh: draw, leave: () => {} };
}

async function offer(select, state) {
  select.replaceChildren(element("option", [["value", ""]], "Add a property …"));
  const found = await propertiesOf(state);
  select.append(...found.map(({ property }) => element("option", [["value", property]], property.slice(0, 120))));
}

function panelRow(kind, changed) {
  const button = (sign, label, act) => {
    const made = element("button", [["type", "button"], ["class", "icon"], ["aria-label", `${label}: ${kind.title}`], ["title", label]], sign);
    made.addEventListener("click", () => {
      act();
      changed();
    });
    return made;
  };
  const move = (by) => kinds.move(kind.id, by, panels.isWeb());
  const moves = element("span", [["class", "moves"]], button("↑", "Move up", () => move(-1)), button("↓", "Move down", () => move(1)),
    ...(kind.isPinned ? [button("×", "Remove", () => kinds.unpin(kind.property))] : []));
  return element("li", [], checkbox(kind, (isShown) => kinds.setShown(kind.id, isShown), changed, kind.isPinned), moves);
}

const numberRow = (card, changed) => element("li", [], checkbox(card, (isShown) => cardChoice.setShown(card.id, isShown, panels.isWeb()), changed));

function checkbox({ title, isShown }, set, changed, isFixed = false) {
  const box = element("input", [["type", "checkbox"]]);
  box.checked = isShown;
  box.disabled = isFixed;
  box.addEventListener("change", () => {
    set(box.checked);
    changed();
  });
  return element("label", [], box, " ", element("bdi", [], title));
}
