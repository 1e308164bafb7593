// The proof of one hour in words: what it means, the values that differ, and the command that mends them.

import { get } from "../core/api.js";
import { now } from "../core/clock.js";
import { copyButton } from "../core/copy_button.js";
import { FAILED_STATES } from "../core/definitions.js";
import { element, find, hide, write } from "../core/dom.js";
import { axisMinuteText, count, counted, hourText } from "../core/format.js";
import { Question } from "../core/request.js";
import { HOUR } from "../core/state.js";

const HINT = "Choose an hour to see its count, its digest and when it was verified.";
// What a failed state means, and the heads of the columns with the two values.
const FAILURES = new Map([
  ["drifted", ["The rollup is not what its raw events add up to.", "Rollup", "Raw events"]],
  ["damaged", ["The raw events are not those that were appended, so the rollup cannot be judged.", "Appended", "Found"]],
  ["broken", ["What was sealed has changed since.", "Sealed", "Found"]],
]);
const FIELDS = new Map([
  ["event_counts", "events of type"], ["tool_usage", "uses of tool"], ["risk_distribution", "changes to risk mode"],
  ["sessions_missing", "sessions missing"], ["sessions_extra", "sessions too many"], ["users_missing", "users missing"],
  ["users_extra", "users too many"], ["identified_missing", "identified sessions missing"],
  ["identified_extra", "identified sessions too many"], ["session_edges", "sessions seen before"],
  ["user_edges", "users seen before"], ["identified_edges", "identified sessions seen before"], ["document", "document"],
  ["position_sum", "sum of positions"], ["digest_high", "digest, first half"], ["digest_low", "digest, second half"],
]);
const UNREADABLE = "cannot be read";

export class HourProof {
  // said: the node that says what the hour is. panel: of a wrong hour, with .fault and .wrong-parts. title: its heading.
  constructor(page, { said = find("proof"), panel = find("wrong-hour"), title = find("wrong-title") } = {}) {
    this.said = said;
    this.panel = panel;
    this.title = title;
    this.parts = this.panel.querySelector(".wrong-parts");
    this.question = new Question(this.parts, this.panel.querySelector(".fault"), page);
    this.hour = null;
    this.show(null);
  }

  // cell: {hour, proof}, or null when no hour is chosen.
  show(cell) {
    write(this.said, cell ? textOf(cell) : HINT);
    const hasFailed = FAILED_STATES.includes(cell?.proof?.state);
    hide(this.panel, !hasFailed);
    if (!hasFailed) return this.question.forget();
    const { hour, state, verified_at: at } = cell.proof;
    write(this.title, `${hourText(hour)}: ${state}`);
    if (this.hour !== hour) this.parts.replaceChildren();
    this.hour = hour;
    this.question.askOnce([hour, state, at], (signal) => get(`rollups/${encodeURIComponent(hour)}`, [], signal),
      (answer) => this.parts.replaceChildren(...wrongOf(answer, state, Date.parse(hour))), () => this.parts.replaceChildren());
  }
}

function textOf({ hour, proof }) {
  if (!proof) return `${hourText(hour)}: no events.`;
  return `${hourText(hour)}: ${proof.state}, ${counted(proof.events, "event")}. ${meaningOf(hour, proof)} Digest ${proof.digest}`;
}

function meaningOf(hour, { state, verified_at: at, sealed_at: sealed }) {
  if (FAILURES.has(state)) return `Checked ${hourText(at)}. ${FAILURES.get(state)[0]}`;
  if (state === "verified") return `Verified ${hourText(at)}.`;
  if (state === "sealed") return `Verified, and sealed ${hourText(sealed)} before its raw events left the log.`;
  if (hour + HOUR > now()) return "Current hour, partial; it is verified when it is over.";
  return at ? `Events came since it was checked ${hourText(at)}; it waits for the next check.` : "It waits to be verified.";
}

// Nodes with the differing values, and what to do.
function wrongOf({ differences = [], more_differences: more = 0 }, state, hour) {
  const unreadable = differences.filter(({ field }) => field === UNREADABLE);
  const rows = differences.filter(({ field }) => field !== UNREADABLE);
  const found = element("div", [],
    ...unreadable.map(({ key }) => element("p", [], `PostgreSQL cannot read the hour: ${key}`)),
    ...(rows.length ? [table(rows, state)] : []),
    ...(more ? [element("p", [["class", "quiet"]], `${counted(more, "more difference")}; make verify names all.`)] : []));
  return [found, element("div", [], ...remedy(state, hour))];
}

function table(rows, state) {
  const [, stored, recounted] = FAILURES.get(state);
  const hasQuarters = state === "drifted";
  const heads = ["Value", ...(hasQuarters ? ["Quarter"] : []), stored, recounted];
  return element("div", [["class", "scroll"], ["tabindex", "0"], ["role", "region"], ["aria-label", "Differing values"]],
    element("table", [["class", "differences"]],
      element("thead", [], element("tr", [], ...heads.map((text) => element("th", [["scope", "col"]], text)))),
      element("tbody", [], ...rows.map((row) => element("tr", [],
        element("th", [["scope", "row"]], ...nameOf(row)),
        ...(hasQuarters ? [element("td", [], axisMinuteText(new Date(row.bucket)))] : []),
        ...[row.stored, row.recounted].map((text) => element("td", [], valueText(row.field, text))))))));
}

function nameOf({ field, key }) {
  const name = FIELDS.get(field) ?? field.replaceAll("_", " ");
  if (key === null) return [name];
  if (field.endsWith("_edges")) return [`${name}, last ${key === "-infinity" ? "never" : hourText(key)}`];
  return [`${name} `, element("bdi", [], key)];
}

// A digest has the form of other answers; a count is grouped like any other.
function valueText(field, text) {
  if (!/^-?\d+$/.test(text)) return text;
  if (/_(high|low)$/.test(field)) return BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, "0");
  return count(BigInt(text));
}

const hourArgument = (time) => new Date(time).toISOString().replace(":00.000Z", "Z");

function remedy(state, hour) {
  const range = `FROM=${hourArgument(hour)} TO=${hourArgument(hour + HOUR)}`;
  if (state === "drifted") {
    return [element("p", [], "The raw events are right. This mends the rollup from them:"), command(`make rebuild-projections ${range}`),
      element("p", [], "This checks it again:"), command(`make verify ${range}`)];
  }
  const what = state === "broken" ? "Nothing mends a seal." : "Nothing mends raw events, so the rollup stays as it is.";
  return [
    element("p", [], `${what} Keep a backup of this state, then restore the last good one elsewhere and compare the hour there (docs/operations.md, “When verify finds something”):`),
    command("make backup FILE=as-it-is.dump"), command(`make verify ${range}`),
    ...(state === "broken" ? [element("p", [], "A copy of the seal heads tells since when:"), command(".venv/bin/python -m projections seal-head")] : []),
  ];
}

function command(text) {
  const code = element("code", [["tabindex", "0"]], text);
  return element("p", [["class", "command"]], code, copyButton(code, { named: true }));
}
