// The panels of the first screen: built, put into the reader's order, and filled.

import { element, find, hide, write } from "../core/dom.js";
import { nameOf } from "../core/key_names.js";
import { exclude, include, isFilter, isIncluded, isNamed } from "../core/row_filters.js";
import { hasPages, sawPages } from "../core/site_kind.js";
import { isFiltered, scopeOf } from "../core/state.js";
import { style } from "../core/views.js";
import * as bars from "./top_keys.js";
import * as cardChoice from "./card_choice.js";
import { MEASURES, panels, useUsual } from "./panel_kinds.js";
import { TOO_OLD, readPanels, valueOf } from "./panel_reads.js";

const PAGE_VIEW = "page_viewed";
// More tabs have a line of their own.
const FEW_TABS = 3;
let page = null;
// What each panel with tabs counts by, once the reader has chosen.
const tabs = new Map();
const empty = new Set();
let noteFor = null;
// What the reader waits for, by panel.
const reading = new Map();
// The first tab with rows, where earlier ones have none; one beyond the last where all have none.
const filled = new Map();
// What the panels ask about.
let scope = "";

export function start(given) {
  page = given;
  if (!page.change) useUsual();
  arrange();
}

const siteOf = () => page.state().site;
export const isWeb = () => hasPages(siteOf());

// types: the event types of a summary. Returns whether the site turns out to have page views.
export function learn(types) {
  if (isWeb() || !types.some(({ key, rest }) => key === PAGE_VIEW && !rest)) return false;
  sawPages(siteOf());
  arrange();
  return true;
}

// Build the panels that are missing, and put all into their order.
export function arrange() {
  document.documentElement.toggleAttribute("data-web", isWeb());
  cardChoice.arrange(isWeb());
  const place = find("panels");
  const kinds = panels(isWeb());
  for (const kind of kinds) if (!find(kind.id)) place.append(sectionOf(kind));
  // The page of a share link has one view, without filters.
  if (page.change) for (const kind of kinds) if (!find(kind.id).querySelector(".panel-foot")) find(kind.id).append(footOf(kind));
  const wanted = kinds.map(({ id }) => id);
  for (const section of [...place.children]) if (!wanted.includes(section.id)) section.remove();
  if (JSON.stringify([...place.children].map(({ id }) => id)) !== JSON.stringify(wanted)) place.append(...wanted.map(find));
  for (const kind of kinds) showOrHide(kind);
}

function sectionOf(kind) {
  const title = element("h2", [["id", `${kind.id}-title`]], kind.title);
  const choices = kind.tabs.length > 1 ? [tabsOf(kind)] : [];
  return element("section", [["class", "panel bars"], ["id", kind.id], ["aria-labelledby", title.id], ["hidden", ""]],
    element("div", [["class", "panel-head"]], title, ...choices, element("span", [["class", "measure quiet"]], MEASURES.get(kind.measure))),
    element("p", [["class", "fault"], ["role", "status"], ["hidden", ""]]),
    element("ol", [["class", "bar-list"]]), element("p", [["class", "note quiet"], ["hidden", ""]]));
}

function tabsOf(kind) {
  const group = element("div", [["class", kind.tabs.length > FEW_TABS ? "tabs many" : "tabs"], ["role", "group"], ["aria-label", `${kind.title} by`]]);
  for (const [by, name] of kind.tabs) {
    const button = element("button", [["type", "button"], ["aria-pressed", String(by === byOf(kind))]], name);
    button.addEventListener("click", () => {
      tabs.set(kind.id, by);
      markTab(kind);
      find(kind.id).classList.add("stale");
      readOne(kind);
    });
    group.append(button);
  }
  return group;
}

function footOf(kind) {
  const all = element("button", [["type", "button"], ["class", "link"], ["aria-label", `Show all: ${kind.title}`]], "Show all");
  all.addEventListener("click", () => later(kind, (module) => module.show(page, { ...kind, by: byOf(kind) })));
  const file = element("button", [["type", "button"], ["class", "link"], ["aria-label", `CSV: ${kind.title}`]], "CSV");
  file.addEventListener("click", () => later(kind, (module) => module.download(page, { ...kind, by: byOf(kind) })));
  return element("div", [["class", "panel-foot quiet"]], all, file);
}

async function later(kind, act) {
  try {
    const [module] = await Promise.all([import("../views/all_keys.js"), style("views"), style("all_keys")]);
    await act(module);
  } catch (error) {
    fail(kind.id, `Could not load: ${error.message}`);
  }
}

const byOf = (kind) => tabs.get(kind.id) ?? (kind.tabs[filled.get(kind.id)] ?? kind.tabs[0])[0];

// An empty panel takes no place, unless a filter names what it counts, or the reader wants it.
function showOrHide(kind) {
  const isKept = (kind.always && !(isWeb() && !kind.isPinned)) || tabs.has(kind.id) || isNamed(page.state(), byOf(kind));
  hide(find(kind.id), !kind.isShown || (empty.has(kind.id) && !isKept));
}

export function frame() {
  const before = scope;
  scope = JSON.stringify(scopeOf(page.state()));
  if (scope !== before) filled.clear();
  // The round that follows reads all of them.
  for (const controller of reading.values()) controller.abort();
  reading.clear();
  arrange();
  for (const kind of panels(isWeb())) {
    markTab(kind);
    find(kind.id).classList.toggle("stale", kind.isShown);
  }
}

// Fill the panels whose rows a summary has.
export function showSummary(answer, noted) {
  for (const kind of panels(isWeb()).filter(({ list, isShown }) => list && isShown)) {
    const rows = answer[kind.list].map(({ key, events, rest }) => ({ key, value: events, rest }));
    fill(kind, byOf(kind), rows, rows.reduce((sum, { value }) => sum + value, 0), noted);
  }
}

export function failSummary(message) {
  for (const kind of panels(isWeb()).filter(({ list }) => list)) fail(kind.id, message);
}

// Read the panels that a summary does not have. noteOf(answer): a note below the rows. isOfWeb: only those of page views.
// Returns the outcomes.
export function read(state, signal, noteOf, isOfWeb = false) {
  noteFor = noteOf;
  const wanted = panels(isWeb()).filter(({ list, isShown, isWeb: web }) => !list && isShown && (web || !isOfWeb)).map((kind) => ({ kind, by: byOf(kind) }));
  return readPanels(wanted, state, signal, tell);
}

// The reader waits for this one.
function readOne(kind) {
  reading.get(kind.id)?.abort();
  reading.set(kind.id, new AbortController());
  return readPanels([{ kind, by: byOf(kind) }], page.state(), reading.get(kind.id).signal, tell);
}

// Read the panels that the reader has just added.
export function readNew() {
  for (const kind of panels(isWeb()).filter(({ id, list, isShown }) => isShown && !list && !find(id).querySelector(".bar-list").children.length)) readOne(kind);
}

function tell(kind, by, told) {
  if (by !== byOf(kind)) return;
  if (told instanceof Error) return fail(kind.id, told.message === TOO_OLD ? TOO_OLD : `Could not load: ${told.message}`);
  const rows = told.rows.map((row) => ({ key: row.key, name: row.key === null ? null : nameOf(by, row.key), value: valueOf(row, kind.measure) }));
  fill(kind, by, rows, told.total, noteFor(told));
  if (!rows.length && !tabs.has(kind.id) && !isFiltered(page.state())) tryNext(kind);
}

// Not every site has every property: a site without the sources of visits may have referrers. After the last tab comes the first.
function tryNext(kind) {
  const next = (filled.get(kind.id) ?? 0) + 1;
  if (next > kind.tabs.length || kind.tabs.length === 1) return;
  filled.set(kind.id, next);
  markTab(kind);
  readOne(kind);
}

function markTab(kind) {
  for (const [place, button] of [...find(kind.id).querySelectorAll(".tabs button")].entries()) {
    button.setAttribute("aria-pressed", String(kind.tabs[place][0] === byOf(kind)));
  }
}

function fill(kind, by, rows, total, noted) {
  const state = page.state();
  const actions = page.change && isFilter(by) ? {
    isChosen: (key) => isIncluded(state, by, key),
    choose: (key) => page.change(include(page.state(), by, key)),
    exclude: (key) => page.change(exclude(page.state(), by, key)),
  } : null;
  bars.show(kind.id, rows, total, noted, actions);
  if (rows.length) empty.delete(kind.id);
  else empty.add(kind.id);
  showOrHide(kind);
  const panel = find(kind.id);
  panel.classList.remove("stale");
  hide(panel.querySelector(".fault"), true);
}

function fail(id, message) {
  const fault = find(id).querySelector(".fault");
  write(fault, message);
  hide(fault, false);
  find(id).classList.remove("stale");
  bars.forget(id);
}

