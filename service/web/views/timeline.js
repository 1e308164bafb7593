// The kept events of one session, oldest first, or of one user, newest first, in a dialog.

import { get } from "../core/api.js";
import { element, find, hide, write } from "../core/dom.js";
import { Question } from "../core/request.js";
import { count, counted, durationText, momentText } from "../core/format.js";
import { eventRows } from "./timeline_rows.js";

const NAMES = new Map([["session", "Session"], ["user", "User"]]);
const PATHS = new Map([["session", "sessions"], ["user", "users"]]);
const FILTERS = new Map([["session", "session_id"], ["user", "user_id"]]);
const LIMIT = "200";
let parts = null;
let page = null;
let shown = null;

function build() {
  const title = element("h2", [["id", "timeline-title"], ["tabindex", "-1"]]);
  const filter = element("button", [["type", "button"], ["class", "plain"]]);
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const facts = element("dl", [["class", "facts"]]);
  const sessions = element("ul", [["class", "ids"], ["aria-label", "Sessions"]]);
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const list = element("ol", [["class", "timeline"], ["aria-label", "Events"]]);
  const more = element("button", [["type", "button"], ["class", "plain"], ["hidden", ""]], "Show more");
  const body = element("div", [["class", "timeline-body"], ["tabindex", "0"], ["role", "region"], ["aria-labelledby", "timeline-title"]],
    said, facts, sessions, list, more);
  const dialog = element("dialog", [["id", "timeline"], ["aria-labelledby", "timeline-title"]],
    element("div", [["class", "timeline-head"]], title, filter, leave), body);
  document.body.append(dialog);
  leave.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  // Escape comes here as well.
  dialog.addEventListener("close", () => {
    question.stop();
    if (!dialog.open) document.querySelector("main").append(find("gone"));
    if (shown) page.change({ timeline: null });
  });
  filter.addEventListener("click", () => {
    const { of, id } = shown;
    shown = null;
    dialog.close();
    page.change({ timeline: null, filters: new Map(page.state().filters).set(FILTERS.get(of), id) });
  });
  more.addEventListener("click", () => read(more.dataset.cursor));
  const question = new Question(body, said, { needSignIn: () => page.needSignIn(), doubt: () => page.doubt() });
  return { dialog, title, filter, facts, sessions, list, more, body, question };
}

export function show(given, wanted) {
  page = given;
  parts ??= build();
  shown = wanted;
  parts.title.replaceChildren(`${NAMES.get(wanted.of)} `, element("bdi", [], wanted.id));
  parts.title.title = wanted.id;
  write(parts.filter, `Only this ${wanted.of}`);
  parts.question.missing = noEvents(wanted.of);
  for (const part of [parts.facts, parts.sessions, parts.list]) part.replaceChildren();
  hide(parts.more, true);
  parts.body.scrollTop = 0;
  if (!parts.dialog.open) parts.dialog.showModal();
  // A modal dialog covers everything outside of it.
  parts.dialog.append(find("gone"));
  parts.title.focus();
  read(null);
}

const noEvents = (of) => `No events of this ${of} are kept.`;

export function close() {
  shown = null;
  if (parts?.dialog.open) parts.dialog.close();
}

function read(cursor) {
  const { of, id } = shown;
  // The id is a parameter, because the browser takes . and .. out of paths.
  const query = [[FILTERS.get(of), id], ["limit", LIMIT], ...(cursor ? [["cursor", cursor]] : [])];
  parts.question.ask((signal) => get(PATHS.get(of), query, signal), (answer) => draw(answer, of, cursor));
}

function draw(answer, of, cursor) {
  if (!cursor) {
    showFacts(answer, of);
    showSessions(answer.sessions ?? []);
  }
  const last = cursor ? parts.list.dataset.last : null;
  parts.list.append(...eventRows(answer.events, last));
  if (answer.events.length) parts.list.dataset.last = answer.events.at(-1).timestamp;
  if (!parts.list.children.length) parts.list.append(element("li", [["class", "nothing"]], noEvents(of)));
  parts.more.dataset.cursor = answer.next_cursor ?? "";
  hide(parts.more, !answer.next_cursor);
}

function showFacts(answer, of) {
  const { first_seen: first, last_seen: last } = answer;
  const rows = [
    ["Events", count(answer.events_in_range)],
    ...(first ? [["First seen", momentText(first)], ["Last seen", momentText(last)],
      ["Time between", durationText((Date.parse(last) - Date.parse(first)) / 1000)]] : []),
  ];
  parts.facts.replaceChildren(...rows.map(fact));
  if (of === "session" && answer.user_ids?.length) {
    parts.facts.append(fact(["Users", ...answer.user_ids.map((id) => opener("user", id))]));
  }
}

const fact = ([name, ...values]) => element("div", [], element("dt", [], name), ...values.map((value) => element("dd", [], value)));

function opener(of, id) {
  const button = element("button", [["type", "button"], ["class", "opens"]], id);
  button.addEventListener("click", () => page.change({ timeline: { of, id } }));
  return button;
}

function showSessions(sessions) {
  parts.sessions.replaceChildren(...sessions.map(({ session_id: id, first_seen: first, events }) => element("li", [],
    opener("session", id), element("span", [["class", "quiet"]], ` ${momentText(first)} · ${counted(events, "event")}`))));
}
