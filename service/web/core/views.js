// The views beside the overview. Each loads with its style when it first opens.

import { element, find, hide, write } from "./dom.js";
import { VIEWS, address } from "./state.js";

const LOADERS = new Map([
  ["funnels", () => import("../views/funnels.js")],
  ["retention", () => import("../views/retention.js")],
  ["goals", () => import("../views/goals.js")],
  ["paths", () => import("../views/paths.js")],
  ["proofs", () => import("../views/proofs.js")],
  ["settings", () => import("../views/settings.js")],
  ["components", () => import("../views/components.js")],
]);
// The overview has a panel #proofs.
const idOf = (name) => (name === "proofs" ? "all-proofs" : name);
const styles = new Map();
const opened = new Map();
let wanted = VIEWS[0];

export function start(change, current) {
  for (const link of links()) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      if (link.dataset.view !== current().view) change({ view: link.dataset.view });
    });
  }
}

const links = () => [...document.querySelectorAll("[data-view]")];

export function showNavigation(state) {
  for (const link of links()) {
    const isCurrent = link.dataset.view === state.view;
    link.href = address({ ...state, view: link.dataset.view, timeline: null });
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Loads the style of a part before the part is drawn.
export function style(name) {
  if (!styles.has(name)) {
    const link = element("link", [["rel", "stylesheet"], ["href", `assets/views/${name}.css`]]);
    styles.set(name, new Promise((done) => { link.onload = link.onerror = done; }));
    document.head.append(link);
  }
  return styles.get(name);
}

// Each module gives `open(place, page)`, which returns {show(state), leave(), again()}.
export async function show(state, page) {
  const before = wanted;
  wanted = state.view;
  if (before !== wanted) opened.get(before)?.view.leave();
  for (const [name, { place }] of opened) hide(place, name !== wanted);
  hide(find("view-said"), true);
  if (!LOADERS.has(wanted)) return;
  try {
    (await open(wanted, page))?.show(page.state());
  } catch {
    write(find("view-said"), "This view could not be loaded. Reload the page to try again.");
    hide(find("view-said"), false);
  }
}

// Ask the question of the view once more.
export function again(page) {
  if (opened.has(wanted)) opened.get(wanted).view.again();
  else show(page.state(), page);
}

async function open(name, page) {
  if (!opened.has(name)) {
    const [module] = await Promise.all([LOADERS.get(name)(), style("views"), style(name)]);
    if (!opened.has(name)) {
      const place = element("section", [["id", idOf(name)], ["class", "view"]]);
      find("views").append(place);
      opened.set(name, { place, view: module.open(place, page) });
    }
  }
  hide(opened.get(name).place, name !== wanted);
  return name === wanted ? opened.get(name).view : null;
}
