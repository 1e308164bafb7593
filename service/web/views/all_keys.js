// All rows of a panel in a dialog, with a search. Each row can be a filter, or be left out. The rows can be saved as a file.

import { get } from "../core/api.js";
import { element, write } from "../core/dom.js";
import { count, counted, share } from "../core/format.js";
import { nameOf } from "../core/key_names.js";
import { exclude, include, isFilter, isFilterable, isIncluded } from "../core/row_filters.js";
import { Question } from "../core/request.js";
import { MEASURES } from "../overview/panel_kinds.js";
import { questionOf, valueOf } from "../overview/panel_reads.js";
import { csvOf, save } from "./csv.js";

const MOST = "1000";
const TYPING_MS = 250;
let parts = null;
let shown = null;
let typing = null;

// kind: of the panel, with `by`. Opens the dialog.
export function show(page, kind) {
  parts ??= build(page);
  shown = { page, kind };
  write(parts.title, `${kind.title}: ${kind.tabs.find(([by]) => by === kind.by)[1]}`);
  parts.search.value = "";
  parts.rows.replaceChildren();
  write(parts.note, "");
  if (!parts.dialog.open) parts.dialog.showModal();
  parts.search.focus();
  read();
}

// Save the rows of a panel as a file, without the dialog.
export async function download(page, kind) {
  const answer = await get("top", questionOf(page.state(), kind, kind.by, [["limit", MOST]]), new AbortController().signal);
  saveRows(kind, answer);
}

function saveRows({ by, measure }, { rows, total }) {
  const names = ["sessions", "visitors", "events"].filter((name) => name === measure || rows.some((row) => row[name] !== undefined));
  const lines = rows.map((row) => [row.key, ...names.map((name) => row[name] ?? ""), total ? valueOf(row, measure) / total : ""]);
  save(`${by.replace(/^properties\.\$?/, "")}.csv`, csvOf([by, ...names, "share"], lines));
}

function build(page) {
  const dialog = element("dialog", [["id", "all-keys"], ["class", "dialog"], ["aria-labelledby", "all-keys-title"]]);
  const title = element("h2", [["id", "all-keys-title"]]);
  const search = element("input", [["type", "search"], ["placeholder", "Search"], ["aria-label", "Search the rows"], ["autocomplete", "off"], ["data-search", ""]]);
  const file = element("button", [["type", "button"], ["class", "plain"]], "CSV");
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const rows = element("tbody");
  const number = element("th", [["scope", "col"]]);
  const note = element("p", [["class", "quiet"], ["role", "status"]]);
  const table = element("table", [["class", "numbers"]],
    element("thead", [], element("tr", [], element("th", [["scope", "col"]], "Key"), number, element("th", [["scope", "col"]], "Share"),
      element("th", [["scope", "col"]], element("span", [["class", "unseen"]], "Filter")))), rows);
  const body = element("div", [["class", "dialog-body"], ["tabindex", "0"], ["role", "region"], ["aria-labelledby", "all-keys-title"]], said, table);
  dialog.append(element("div", [["class", "dialog-head"]], title, search, file, leave), body, element("div", [["class", "dialog-foot"]], note));
  leave.addEventListener("click", () => dialog.close());
  file.addEventListener("click", () => { if (shown.answer) saveRows(shown.kind, shown.answer); });
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(read, TYPING_MS);
  });
  dialog.addEventListener("close", () => parts.question.forget());
  document.querySelector("main").append(dialog);
  return { dialog, title, search, rows, note, number, question: new Question(rows, said, page) };
}

function read() {
  const { page, kind } = shown;
  const text = parts.search.value.trim();
  const query = questionOf(page.state(), kind, kind.by, [["limit", MOST]]);
  parts.question.ask((signal) => get("top", [...query, ...(text ? [["search", text]] : [])], signal), draw);
}

function draw(answer) {
  shown.answer = answer;
  const { kind } = shown;
  write(parts.number, MEASURES.get(kind.measure));
  parts.rows.replaceChildren(...answer.rows.map((row) => rowOf(row, answer.total)));
  const more = answer.rows.length === Number(MOST) ? ", the first of more" : "";
  write(parts.note, answer.rows.length ? `${counted(answer.rows.length, "row")}${more}` : "Nothing found.");
}

function rowOf(row, total) {
  const { page, kind } = shown;
  const value = valueOf(row, kind.measure);
  return element("tr", [], element("th", [["scope", "row"], ["title", row.key ?? ""]], row.key === null ? "(none)" : nameOf(kind.by, row.key)), element("td", [], count(value)),
    element("td", [], total ? share(value / total) : ""),
    element("td", [["class", "row-filters"]], ...(isFilter(kind.by) && isFilterable(row.key) ? filtersOf(page, kind.by, row.key) : [])));
}

function filtersOf(page, by, key) {
  const button = (text, label, change, pressed) => {
    const made = element("button", [["type", "button"], ["class", "link"], ["aria-label", `${label} ${key}`],
      ...(pressed === null ? [] : [["aria-pressed", String(pressed)]])], text);
    made.addEventListener("click", () => {
      parts.dialog.close();
      page.change(change(page.state(), by, key));
    });
    return made;
  };
  return [button("Only", "Only", include, isIncluded(page.state(), by, key)), button("Without", "Without", exclude, null)];
}
