// Keys that work anywhere on the page. They can be switched off, because dictation and some readers of the screen type letters.

import { element, find } from "./dom.js";
import { kept, keep } from "./kept.js";
import { CALENDARS } from "./calendar_ranges.js";
import { RANGES, VIEWS } from "./state.js";

const NAME = "shortcuts";
const VIEW_KEYS = new Map([["o", "overview"], ["f", "funnels"], ["r", "retention"], ["g", "goals"], ["j", "paths"], ["p", "proofs"], ["s", "settings"]]);
const RANGE_KEYS = new Map([["h", "1h"], ["d", "24h"], ["w", "7d"], ["m", "30d"], ["q", "90d"], ["t", "today"], ["y", "yesterday"]]);
const DRAWER_KEYS = new Map([["v", "saved-views"], ["n", "notes"], ["e", "export"], ["a", "arrange"]]);
const RANGE_WORDS = new Map([["1h", "Last hour"], ["24h", "Last day"], ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"]]);
const COMPARED = ["previous", "week", "year", "none"];
let sheet = null;

const isOn = () => kept(NAME, true);

// page: {state(), change(parts)}. press(drawer): open or close that part of the drawer.
export function start(page, press) {
  find("shortcuts-open").addEventListener("click", open);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !isOn() || isTyping(event.target)) return;
    if (event.key === "?") return act(event, open);
    if (document.querySelector("dialog[open]") || find("dashboard").hidden) return;
    const wanted = wish(event.key, page, press);
    if (wanted) act(event, wanted);
  });
}

function act(event, doIt) {
  event.preventDefault();
  doIt();
}

const isTyping = (node) => node.closest?.("input, select, textarea, [contenteditable]") !== null && node.closest !== undefined;

// What a key does, if anything.
function wish(key, page, press) {
  const { state, change } = page;
  if (key === "/") return () => press("add-filter");
  if (VIEW_KEYS.has(key)) return () => change({ view: VIEW_KEYS.get(key) });
  if (RANGE_KEYS.has(key)) return () => change({ range: RANGE_KEYS.get(key), since: null, until: null });
  if (DRAWER_KEYS.has(key)) return () => press(DRAWER_KEYS.get(key));
  if (key === "c") return () => change({ compare: COMPARED[(COMPARED.indexOf(state().compare) + 1) % COMPARED.length], against: null });
  if (key === "x") return () => change({ filters: new Map(), conditions: [] });
  return null;
}

function open() {
  sheet ??= build();
  sheet.showModal();
}

const keysOf = () => [
  ["Find", [["/", "Filter"], ["x", "Remove all filters"], ["v", "Saved views"], ["n", "Notes"], ["e", "Export"], ["a", "Arrange panels"]]],
  ["Range", [...RANGE_KEYS].filter(([, range]) => RANGES.has(range) || CALENDARS.has(range))
    .map(([key, range]) => [key, RANGE_WORDS.get(range) ?? CALENDARS.get(range)]).concat([["c", "Compare with the next one"]])],
  ["Views", [...VIEW_KEYS].filter(([, view]) => VIEWS.includes(view)).map(([key, view]) => [key, view[0].toUpperCase() + view.slice(1)])],
  ["Chart", [["← →", "Read value by value, with the focus on it"], ["drag", "Zoom into a range"]]],
];

function build() {
  const dialog = element("dialog", [["id", "shortcuts"], ["class", "dialog"], ["aria-labelledby", "shortcuts-title"]]);
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const on = element("input", [["type", "checkbox"], ["id", "shortcuts-on"]]);
  on.checked = isOn();
  on.addEventListener("change", () => keep(NAME, on.checked ? null : false));
  leave.addEventListener("click", () => dialog.close());
  const groups = keysOf().map(([title, rows]) => element("section", [], element("h3", [], title), element("dl", [], ...rows.map(([key, text]) =>
    element("div", [], element("dt", [], ...key.split(" ").map((each) => element("kbd", [], each))), element("dd", [], text))))));
  dialog.append(
    element("div", [["class", "dialog-head"]], element("h2", [["id", "shortcuts-title"]], "Keyboard shortcuts"), leave),
    element("div", [["class", "dialog-body sheet"]], ...groups),
    element("div", [["class", "dialog-foot"]], element("label", [], on, " Letters are shortcuts")));
  document.querySelector("main").append(dialog);
  return dialog;
}
