// The proofs of all hours that are kept: a calendar, what is wrong and how to mend it, and the heads of the seals.

import { get } from "../core/api.js";
import { FAILED_STATES, MOST_HOURS, PROOF_STATES } from "../core/definitions.js";
import { element, write } from "../core/dom.js";
import { count, counted, hourText } from "../core/format.js";
import { Question } from "../core/request.js";
import { HourProof } from "../overview/hour_proof.js";
import { LETTERS } from "../overview/proof_grid.js";
import { Calendar } from "./proof_calendar.js";
import { sealsPanel } from "./seals.js";

const MOST_NAMED = 50;
const MEANINGS = new Map([
  ["verified", "a recount of its raw events gave the same numbers"],
  ["sealed", "verified before its raw events left the log; the numbers are kept under a seal"],
  ["open", "not over yet, or events came since the last check"],
  ["drifted", "its rollup is not what the raw events add up to; the rollup can be mended"],
  ["damaged", "its raw events are not those that were appended; nothing mends them by itself"],
  ["broken", "what was sealed has changed since"],
]);

export function open(place, page) {
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const headline = element("p", [["class", "headline"]], "\u00a0");
  const meanings = element("ul", [["class", "meanings"]]);
  const wrong = element("ul", [["class", "ids"], ["aria-label", "Wrong hours"]]);
  const months = element("div", [["class", "months"]]);
  const one = element("p", [["class", "quiet one-hour"], ["aria-live", "polite"]]);
  const title = element("h3");
  const fault = element("p", [["class", "fault"], ["role", "status"], ["hidden", ""]]);
  const detail = element("div", [["class", "wrong-detail"], ["hidden", ""]], title, fault, element("div", [["class", "wrong-parts"]]));
  const panel = element("section", [["class", "panel"], ["aria-labelledby", "all-proofs-title"]],
    element("h2", [["id", "all-proofs-title"]], "Proof of every hour"), said, headline, wrong, one, detail, months, meanings);
  const seals = sealsPanel(page);
  place.append(panel, seals.node);
  const proof = new HourProof(page, { said: one, panel: detail, title });
  const calendar = new Calendar(months, (cell) => proof.show(cell));
  const reading = new Question(panel, said, page);

  const draw = (answer) => {
    page.answered();
    write(headline, headlineOf(answer));
    calendar.show(answer.proofs);
    meanings.replaceChildren(...[...PROOF_STATES].reverse().map((state) => meaningOf(state, answer.proofs)));
    wrong.replaceChildren(...answer.proofs.filter(({ state }) => FAILED_STATES.includes(state)).slice(0, MOST_NAMED)
      .map(({ hour, state }) => wrongItem(hour, state, calendar)));
  };
  const view = {
    show() {
      reading.ask((signal) => get("proofs", [["hours", String(MOST_HOURS)]], signal), draw);
      seals.show();
    },
    leave: () => reading.stop(),
    again: () => view.show(),
  };
  return view;
}

function headlineOf({ proofs }) {
  const wrong = proofs.filter(({ state }) => FAILED_STATES.includes(state)).length;
  const proven = proofs.filter(({ state }) => ["verified", "sealed"].includes(state)).length;
  if (!proofs.length) return "No hour has events yet.";
  if (wrong) return `${counted(wrong, "hour")} of ${count(proofs.length)} ${wrong === 1 ? "is" : "are"} wrong. Choose one to see what differs and what mends it.`;
  return `${count(proven)} of ${counted(proofs.length, "hour")} with events proven, none wrong.`;
}

const meaningOf = (state, proofs) => element("li", [],
  element("span", [["class", `cell ${state}`], ["aria-hidden", "true"]], LETTERS.get(state) ?? ""),
  element("strong", [], `${state} ${count(proofs.filter((proof) => proof.state === state).length)}`), element("span", [["class", "quiet"]], MEANINGS.get(state)));

function wrongItem(hour, state, calendar) {
  const button = element("button", [["type", "button"], ["class", "plain"]], `${hourText(hour)}: ${state}`);
  button.addEventListener("click", () => calendar.lead(Date.parse(hour)));
  return element("li", [], button);
}
