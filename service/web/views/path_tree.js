// The tree of paths as nested lists: each page with a bar, its visits, their share, and how many left there.

import { element, hide, write } from "../core/dom.js";
import { count, counted, share } from "../core/format.js";
import { isFiltered } from "../core/state.js";
import { rangeNote } from "./range_note.js";

// Stands for several pages.
export const OTHER = "(other)";
const WORDS = new Map([
  ["next", { left: "left", ended: "left the site there", after: "Pages after", further: "Further pages" }],
  ["previous", { left: "began here", ended: "began there", after: "Pages before", further: "Further pages" }],
]);

// answer: of `GET /api/analytics/paths`, or null when no page is viewed. choose(page): begin with it. Returns nodes.
export function tree(answer, state, choose) {
  if (!answer) return [nothing("No page was viewed in this range. Paths need events of type page_viewed with properties.path, which the client sends with data-auto.")];
  const { page, visits, left, direction } = answer;
  if (!visits) {
    return [nothing(`No visit ${isFiltered(state) ? "that passes the filters " : ""}viewed ${page} in this range. Choose another page${isFiltered(state) ? ", a longer range or fewer filters" : " or a longer range"}.`)];
  }
  const words = WORDS.get(direction);
  const head = element("p", [["class", "headline"], ["tabindex", "-1"]], element("strong", [], count(visits)),
    ` ${visits === 1 ? "visit" : "visits"} viewed `, element("bdi", [], page));
  return [head, element("p", [["class", "quiet"]], `${count(left)} of them (${share(left / visits)}) ${words.ended}.`),
    ...listsOf(answer, { whole: visits, words, choose }, true),
    element("p", [["class", "note quiet"]], `Shares are of ${visits === 1 ? "this visit" : `these ${counted(visits, "visit")}`}. A page that a visit views several times in a row counts once. ${rangeNote(answer, state)}`)];
}

const nothing = (text) => element("p", [["class", "nothing"]], text);

// The list below a page, if there is one. isMain: it shows the path that most visits take.
function listsOf(node, given, isMain) {
  if (!hasMore(node)) return [];
  const rows = node.next.map((each, place) => branch(each, given, isMain && place === 0));
  if (node.other) rows.push(element("li", [], element("div", [["class", "path"]], blank(), bar(given.words.further, node.other, given.whole), element("span", [["class", "path-left"]]), blank("path-start"))));
  return [element("ol", [["class", "paths"], ["aria-label", `${given.words.after} ${node.page}`]], ...rows)];
}

const hasMore = ({ next, other }) => next.length > 0 || other > 0;

const blank = (name = "icon") => element("span", [["class", name], ["aria-hidden", "true"]]);

function branch(node, given, isMain) {
  const row = element("div", [["class", "path"]]);
  const made = element("li", [], row);
  row.append(hasMore(node) ? opener(node, made, given, isMain) : blank(), bar(node.page, node.visits, given.whole),
    element("span", [["class", "path-left quiet"]], node.left ? `${count(node.left)} ${given.words.left}` : ""),
    node.page === OTHER ? blank("path-start") : starter(node.page, given.choose));
  return made;
}

function bar(key, visits, whole) {
  const fill = element("span", [["class", "bar-fill"]]);
  fill.style.width = `${(100 * visits) / whole}%`;
  return element("div", [["class", "bar"]], fill, element("span", [["class", "bar-key"], ["title", key]], key),
    element("span", [["class", "bar-number"]], count(visits)), element("span", [["class", "bar-share"]], share(visits / whole)));
}

// The button that opens and closes the list below a page, which is made when it first opens.
function opener(node, item, given, isMain) {
  const button = element("button", [["type", "button"], ["class", "icon"], ["aria-label", `${given.words.after} ${node.page}`]]);
  let below = null;
  const turn = (isOpen) => {
    if (isOpen && !below) [below] = listsOf(node, given, isMain);
    if (below) {
      item.append(below);
      hide(below, !isOpen);
    }
    button.setAttribute("aria-expanded", String(isOpen));
    write(button, isOpen ? "▾" : "▸");
  };
  button.addEventListener("click", () => turn(button.getAttribute("aria-expanded") !== "true"));
  turn(isMain);
  return button;
}

function starter(page, choose) {
  const button = element("button", [["type", "button"], ["class", "link path-start"], ["aria-label", `Start here: ${page}`]], "Start here");
  button.addEventListener("click", () => choose(page));
  return button;
}
