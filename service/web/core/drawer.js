// The drawer below the controls shows one part at a time: add a filter, segments, views, notes, export, or arrange. Each loads at its first use.

import { element, find, hide } from "./dom.js";
import { style } from "./views.js";

const LOADERS = new Map([
  ["add-filter", () => import("../views/add_filter.js")],
  ["segments", () => import("../views/segments.js")],
  ["saved-views", () => import("../views/saved_views.js")],
  ["notes", () => import("../views/notes.js")],
  ["arrange", () => import("../views/arrange.js")],
  ["export", () => import("../views/export.js")],
]);
let page = null;
let opened = null;
let part = null;

const buttons = () => [...document.querySelectorAll("[data-drawer]")];

export function start(given) {
  page = given;
  for (const button of buttons()) {
    button.addEventListener("click", () => press(button.dataset.drawer));
  }
  find("drawer").addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
}

// Open a part, or close it if it is open.
export const press = (name) => (opened === name ? close() : open(name));

// Each module gives `open(place, page, close)`, which returns {refresh(), leave()}.
async function open(name) {
  close();
  opened = name;
  mark();
  const place = find("drawer");
  try {
    const [module] = await Promise.all([LOADERS.get(name)(), style("views")]);
    if (opened !== name) return;
    place.replaceChildren();
    hide(place, false);
    part = module.open(place, page, close);
  } catch {
    place.replaceChildren(element("p", [["class", "quiet"]], "This could not be loaded. Reload the page to try again."));
    hide(place, false);
  }
}

function close() {
  if (!opened) return;
  const button = buttons().find(({ dataset }) => dataset.drawer === opened);
  const hadFocus = find("drawer").contains(document.activeElement);
  part?.leave();
  part = null;
  opened = null;
  mark();
  hide(find("drawer"), true);
  find("drawer").replaceChildren();
  if (hadFocus) button.focus();
}

function mark() {
  for (const button of buttons()) button.setAttribute("aria-expanded", String(button.dataset.drawer === opened));
}

// The state has changed.
export const refresh = () => part?.refresh();

