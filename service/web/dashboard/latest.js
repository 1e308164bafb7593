// The latest events, newest first; those that were not there before are marked for a moment.

import { $, element, secondText } from "./dom.js";

const COLUMNS = ["Time", "Event", "Tool", "Action", "Session", "User", "Properties"];
const LONGEST = 200;
let known = null;
let asked = "";

export function showLatest(answer, question) {
  const before = question === asked ? known : null;
  asked = question;
  known = new Set(answer.events.map((event) => event.event_id));
  $("latest-note").textContent = answer.next_cursor ? `the newest ${answer.count}` : "\u00a0";
  const rows = answer.events.map((event) => row(event, before !== null && !before.has(event.event_id)));
  $("latest").replaceChildren(answer.count ? element("table", {},
    element("thead", {}, element("tr", {}, ...COLUMNS.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows)) : element("p", { class: "quiet" }, "No events in this range."));
}

function row(event, isNew) {
  const properties = event.properties === null ? "" : JSON.stringify(event.properties);
  const texts = [event.event_type, event.tool_name, event.action, event.session_id, event.user_id, properties];
  const cells = texts.map((text) => element("td", text && text.length > 24 ? { title: text.slice(0, 1000) } : {},
    element("bdi", {}, (text ?? "").slice(0, LONGEST))));
  return element("tr", isNew ? { class: "new" } : {}, element("td", {}, element("time", { datetime: event.timestamp }, secondText(event.timestamp))), ...cells);
}
