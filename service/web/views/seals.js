// The heads of the seals, to keep elsewhere: with an old head, anybody can tell later whether sealed hours were changed.

import { get } from "../core/api.js";
import { copyButton } from "../core/copy_button.js";
import { element } from "../core/dom.js";
import { count, hourText } from "../core/format.js";
import { Question } from "../core/request.js";

const ABOUT = "Each sealed hour carries the hash of the one before, so the newest hash stands for all of them. Keep a copy in a file elsewhere."
  + " This tells from the copy whether sealed hours have changed since: ";
const CHECK = ".venv/bin/python -m projections seal-head --check FILE";

export function sealsPanel(page) {
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const place = element("div", [["class", "seals"]]);
  const node = element("section", [["class", "panel"], ["aria-labelledby", "seals-title"]],
    element("h2", [["id", "seals-title"]], "Heads of the seals"), element("p", [["class", "quiet"]], ABOUT, element("code", [], CHECK)), said, place);
  const reading = new Question(node, said, page);
  return { node, show: () => reading.ask((signal) => get("seals", [], signal), ({ seals }) => place.replaceChildren(...contentsOf(seals))) };
}

// A line as `seal-head` writes and reads it.
const lineOf = ({ shard, sequence, hour, hash }) => JSON.stringify({ shard, sequence, hour: hour.replace(":00.000Z", "Z"), hash });

function contentsOf(seals) {
  if (!seals.length) return [element("p", [["class", "nothing"]], "No hour is sealed yet: that happens before its raw events leave the log.")];
  const text = element("pre", [["tabindex", "0"]], seals.map(lineOf).join("\n"));
  return [element("div", [["class", "copied"]], text, copyButton(text)),
    element("ul", [["class", "quiet"]], ...seals.map(({ shard, sequence, hour }) =>
      element("li", [], `Shard ${shard}: ${count(sequence)} sealed, the last is ${hourText(hour)}.`)))];
}
