// Notes on the chart: what happened on a day. They are added and deleted here, for everybody who reads the site.

import { get, send } from "../core/api.js";
import { element } from "../core/dom.js";
import { dayText } from "../core/format.js";
import { Question } from "../core/request.js";
import * as chartNotes from "../overview/chart_notes.js";

const MISSING = "This server keeps no notes. Update it.";
const LONGEST = "200";

export function open(place, page, close) {
  const list = element("ul", [["class", "arranged"], ["aria-label", "Notes"]]);
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const day = element("input", [["type", "date"], ["aria-label", "Day of the note"], ["required", ""]]);
  const text = element("input", [["aria-label", "Text of the note"], ["placeholder", "what happened"], ["maxlength", LONGEST], ["required", ""], ["autocomplete", "off"]]);
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const form = element("form", [["class", "condition"]], day, text, element("button", [["class", "primary"]], "Add"), leave);
  const reading = new Question(list, said, page, { missing: MISSING });
  const writing = new Question(form, said, page, { missing: MISSING, failed: "Could not change the notes" });
  const read = () => reading.ask((signal) => get("annotations", [], signal), ({ annotations }) => {
    list.replaceChildren(...(annotations.length ? annotations.map((note) => row(note, remove)) : [element("li", [["class", "quiet"]], "None yet.")]));
  });
  const changed = () => {
    chartNotes.forget();
    page.doubt();
    read();
  };
  const remove = ({ id }) => writing.ask((signal) => send("DELETE", `annotations/${encodeURIComponent(id)}`, undefined, signal), changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = { at: day.value, text: text.value };
    writing.ask((signal) => send("POST", "annotations", body, signal), () => {
      text.value = "";
      changed();
    });
  });
  leave.addEventListener("click", close);
  place.append(element("h2", [["class", "unseen"]], "Notes"), list, form, said);
  read();
  day.focus();
  return { refresh: () => {}, leave: () => { reading.stop(); writing.stop(); } };
}

function row(note, remove) {
  const away = element("button", [["type", "button"], ["class", "icon"], ["aria-label", `Delete the note ${note.text}`]], "×");
  away.addEventListener("click", () => remove(note));
  const day = dayText(new Date(chartNotes.timeOf(note)).toISOString());
  return element("li", [], element("span", [], element("span", [["class", "quiet"]], `${day} `), element("bdi", [], note.text)), away);
}
