// A calendar of hours: a grid for each month, a row for each day, a cell for each hour, the newest month first.

import { element } from "../core/dom.js";
import { count, counted, hourText, monthText } from "../core/format.js";
import { now } from "../core/clock.js";
import { HOUR } from "../core/state.js";
import { Grid } from "../overview/proof_grid.js";

const MARKS = [0, 6, 12, 18];

export class Calendar {
  // place: the node of the months. told({hour, proof}): an hour was chosen.
  constructor(place, told) {
    this.place = place;
    this.told = told;
    this.grids = [];
    this.drawn = "";
    this.byHour = new Map();
  }

  // proofs: of `GET /api/analytics/proofs`.
  show(proofs) {
    this.byHour = new Map(proofs.map((proof) => [Date.parse(proof.hour), proof]));
    const first = Math.min(...this.byHour.keys());
    const until = (Math.floor(now() / HOUR) + 1) * HOUR;
    const span = proofs.length ? `${first}-${until}` : "";
    if (span !== this.drawn) this.draw(proofs.length ? monthsOf(first, until) : []);
    this.drawn = span;
    for (const { grid } of this.grids) for (const hour of grid.cells.keys()) this.mark(grid, hour);
  }

  draw(months) {
    this.grids = months.map((month) => {
      const node = element("div", [["class", "strip"], ["role", "grid"], ["aria-label", month.title]]);
      const grid = new Grid(node, (hour) => this.told({ hour, proof: this.byHour.get(hour) ?? null }));
      grid.draw(24 + month.most, MARKS.map((hour) => [hour, count(hour)]), month.rows);
      return { grid, node: element("section", [["class", "month"]], element("h3", [], month.title), node) };
    });
    this.place.replaceChildren(...this.grids.map(({ node }) => node));
  }

  mark(grid, hour) {
    const proof = this.byHour.get(hour);
    grid.mark(hour, proof?.state ?? "none", `${hourText(hour)}: ${proof ? `${proof.state}, ${counted(proof.events, "event")}` : "no events"}`);
  }

  // Lead to an hour, and choose it.
  lead(hour) {
    const found = this.grids.find(({ grid }) => grid.cells.has(hour));
    found?.node.scrollIntoView({ block: "nearest" });
    found?.grid.focus(hour);
  }
}

// Rows by local day. The second of two equal hours, where clocks go back, stands at the end of its row.
function monthsOf(since, until) {
  const months = [];
  for (let hour = Math.floor(since / HOUR) * HOUR; hour < until; hour += HOUR) {
    const date = new Date(hour);
    const title = monthText(date);
    if (months.at(-1)?.title !== title) months.push({ title, rows: [], most: 0 });
    const month = months.at(-1);
    const head = count(date.getDate());
    if (month.rows.at(-1)?.head !== head) month.rows.push({ head, cells: [] });
    const { cells } = month.rows.at(-1);
    const isSecond = cells.some(({ column }) => column === date.getHours());
    month.most = isSecond ? 1 : month.most;
    cells.push({ key: hour, column: isSecond ? 24 : date.getHours() });
  }
  for (const { rows } of months) {
    rows.reverse();
    for (const { cells } of rows) cells.sort((one, other) => one.column - other.column);
  }
  return months.reverse();
}
