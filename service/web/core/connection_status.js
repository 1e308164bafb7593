// The state of the connection in words: at the top, in a banner, and for screen readers.

import { find, hide, write } from "./dom.js";
import { clockText } from "./format.js";

const CONNECTIONS = new Map([
  ["loading", "Loading …"], ["live", "Live"], ["polling", "Updates every 10 seconds"], ["away", "The database does not answer"],
  ["gone", "The server does not answer"], ["signed-out", "Not signed in"],
  ["overloaded", "Overloaded: some events are refused"],
]);
let connection = "loading";
let hasLoaded = false;
let isOverloaded = false;

const isGone = () => !find("gone").hidden;

export function become(name) {
  connection = name;
  show();
}

// Every answer says whether the service refuses events for lack of room.
export function hearLoad(answer) {
  const was = isOverloaded;
  isOverloaded = answer.headers.has("hourledger-overloaded");
  if (isOverloaded !== was) show();
  if (isOverloaded && !was) write(find("announcement"), CONNECTIONS.get("overloaded"));
}

export function show() {
  const reads = isOverloaded && (connection === "live" || connection === "polling");
  const name = isGone() ? "gone" : reads ? "overloaded" : connection;
  find("connection").dataset.state = name;
  write(find("connection"), CONNECTIONS.get(name));
}

// shownAt: when the shown numbers came, or null.
export function lose(shownAt) {
  const since = shownAt ? `These numbers are from ${clockText(shownAt)}. ` : "";
  write(find("gone"), `The server does not answer. ${since}Trying again …`);
  hide(find("gone"), false);
  document.documentElement.dataset.gone = "";
  write(find("announcement"), "The server does not answer.");
  show();
}

// The server has answered. Returns whether it was gone before.
export function regain() {
  const wasGone = isGone();
  hide(find("gone"), true);
  delete document.documentElement.dataset.gone;
  if (wasGone) write(find("announcement"), "The server answers again.");
  else if (!hasLoaded) write(find("announcement"), "Loaded.");
  hasLoaded = true;
  show();
  return wasGone;
}
