// A grid of cells in rows. Tab reaches one cell, the arrows all others. A cell has a column, so that rows stand aligned.

import { element } from "../core/dom.js";

export const LETTERS = new Map([["drifted", "D"], ["damaged", "X"], ["broken", "B"]]);

export class Grid {
  // place: the node of the grid. told(key): a cell was chosen, by pointer or keyboard.
  constructor(place, told) {
    this.place = place;
    this.told = told;
    this.rows = [];
    this.cells = new Map();
    place.addEventListener("keydown", (event) => this.moveByKey(event));
    place.addEventListener("focusin", (event) => this.heard(event.target));
    place.addEventListener("click", (event) => event.target.closest(".cell[tabindex]")?.focus());
  }

  // axis: [column, text] above the rows. rows: [{head, cells: [{key, column}]}], each cell with a key of its own.
  draw(columns, axis, rows) {
    this.cells = new Map();
    this.rows = rows.map(({ cells }) => cells.map(({ key, column }) => this.make(key, column)));
    this.place.style.setProperty("--columns", String(columns));
    this.place.replaceChildren(axisOf(axis), ...rows.map(({ head }, place) => element("div", [["role", "row"], ["class", "strip-row"]],
      element("span", [["role", "rowheader"]], head), ...this.rows[place].map(({ node }) => node))));
    const first = this.rows[0]?.at(-1);
    if (first) first.node.tabIndex = 0;
  }

  make(key, column) {
    const node = element("span", [["role", "gridcell"], ["class", "cell none"], ["tabindex", "-1"]]);
    node.style.gridColumnStart = String(column + 2);
    node.dataset.key = String(key);
    const made = { key, column, node };
    this.cells.set(key, made);
    return made;
  }

  mark(key, state, label) {
    const { node } = this.cells.get(key);
    const name = `cell ${state}`;
    if (node.className !== name) {
      node.className = name;
      node.textContent = LETTERS.get(state) ?? "";
    }
    if (node.ariaLabel === label) return;
    node.ariaLabel = label;
    node.title = label;
  }

  heard(node) {
    const cell = this.cells.get(Number(node.dataset?.key));
    if (!cell) return;
    this.select(cell.key);
    this.told(cell.key);
  }

  // Mark a cell as the chosen one, without telling.
  select(key) {
    for (const other of this.place.querySelectorAll('[tabindex="0"]')) {
      other.tabIndex = -1;
      other.removeAttribute("aria-selected");
    }
    const { node } = this.cells.get(key);
    node.tabIndex = 0;
    node.setAttribute("aria-selected", "true");
  }

  focus(key) {
    this.cells.get(key)?.node.focus();
  }

  moveByKey(event) {
    const row = this.rows.findIndex((cells) => cells.some(({ node }) => node === event.target));
    if (row < 0) return;
    const cells = this.rows[row];
    const at = cells.findIndex(({ node }) => node === event.target);
    const goals = new Map([
      ["ArrowLeft", () => cells[at - 1] ?? this.rows[row + 1]?.at(-1)],
      ["ArrowRight", () => cells[at + 1] ?? this.rows[row - 1]?.[0]],
      ["ArrowUp", () => nearest(this.rows[row - 1], cells[at].column)],
      ["ArrowDown", () => nearest(this.rows[row + 1], cells[at].column)],
      ["Home", () => cells[0]],
      ["End", () => cells.at(-1)],
    ]);
    if (!goals.has(event.key)) return;
    event.preventDefault();
    goals.get(event.key)()?.node.focus();
  }
}

const nearest = (cells, column) => cells?.reduce((best, cell) =>
  (Math.abs(cell.column - column) < Math.abs(best.column - column) ? cell : best));

function axisOf(axis) {
  const texts = axis.map(([column, text]) => {
    const node = element("span", [], text);
    node.style.gridColumnStart = String(column + 2);
    return node;
  });
  return element("div", [["class", "strip-row strip-axis"], ["aria-hidden", "true"]], ...texts);
}
