// The paths view: the pages to which visits go from a page, or from which they come, as a tree.

import { get } from "../core/api.js";
import { element } from "../core/dom.js";
import { Question } from "../core/request.js";
import { filtersOf, rangeOf, scopeOf, withOption } from "../core/state.js";
import { choice } from "./option_select.js";
import { OTHER, tree } from "./path_tree.js";

const DIRECTIONS = [["next", "pages after it"], ["previous", "pages before it"]];
const VIEWED = ["event_type", "page_viewed"];
const PAGE = "properties.path";
const MOST_PAGES = "100";

export function open(place, page) {
  const choose = (name) => (value) => page.change(withOption(page.state(), name, value));
  const root = choice("Page", "page", [["", "the most viewed"]], choose);
  const direction = choice("Show", "direction", DIRECTIONS, choose);
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const again = element("button", [["type", "button"], ["class", "plain again"]], "Refresh");
  const shown = element("div", [["class", "outcome"]]);
  const panel = element("section", [["class", "panel"], ["aria-labelledby", "paths-title"]],
    element("div", [["class", "panel-head"]], element("h2", [["id", "paths-title"]], "Paths"),
      element("div", [["class", "choice-row"]], root.node, direction.node, again)), said, shown);
  place.append(panel);
  const question = new Question(panel, said, page);
  // The most viewed pages of a range and filters.
  let known = { scope: null, pages: [] };

  const pagesOf = async (state, signal) => {
    const scope = JSON.stringify(scopeOf(state));
    if (known.scope !== scope) known = { scope, pages: await mostViewed(state, signal) };
    return known.pages;
  };
  const read = async (state, signal) => {
    const options = state.options.paths;
    const pages = await pagesOf(state, signal);
    const from = options.page || pages[0];
    const query = [...scopeOf(state), ["from_page", from], ["direction", options.direction]];
    return { pages, answer: from ? await get("paths", query, signal) : null };
  };
  const draw = ({ pages, answer }, state) => {
    page.answered();
    root.add("Most viewed", pages.map((path) => [path, path]));
    root.show(state.options.paths);
    const hadFocus = shown.contains(document.activeElement);
    shown.replaceChildren(...tree(answer, state, choose("page")));
    if (hadFocus) shown.querySelector(".headline")?.focus();
  };
  const view = {
    show(state) {
      const { options: { paths } } = state;
      for (const each of [root, direction]) each.show(paths);
      question.askOnce([paths, scopeOf(state)], (signal) => read(state, signal), (found) => draw(found, state), () => shown.replaceChildren());
    },
    leave: () => question.forget(),
    again: () => {
      question.forget();
      known = { scope: null, pages: [] };
      view.show(page.state());
    },
  };
  again.addEventListener("click", view.again);
  return view;
}

// The pages that are viewed most by events that pass the filters; by all events when these are no page views.
async function mostViewed(state, signal) {
  const of = async (filters) => {
    const query = [...rangeOf(state), ...filters.filter(([name]) => name !== VIEWED[0]), VIEWED, ["by", PAGE], ["limit", MOST_PAGES]];
    return (await get("top", query, signal)).rows.map(({ key }) => key).filter((key) => key && key !== OTHER);
  };
  const filters = filtersOf(state);
  const found = await of(filters);
  return found.length || !filters.length ? found : of([]);
}
