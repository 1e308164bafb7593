// Export of what is shown: a link. The browser sends the cookie of a sign-in with it.

import { withSite } from "../core/api.js";
import { element, write } from "../core/dom.js";
import { rangeOf, scopeOf } from "../core/state.js";

const KINDS = [["events", "events"], ["rollups", "hourly rollups"]];
const FORMATS = [["csv", "CSV"], ["ndjson", "NDJSON"], ["parquet", "Parquet"]];

export function open(place, page, close) {
  const of = select("What", KINDS);
  const format = select("Format", FORMATS);
  const link = element("a", [["class", "primary"]], "Download");
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const note = element("p", [["class", "quiet"]]);
  const form = element("form", [["class", "condition"]], of, format, link, leave);

  const refresh = () => {
    // Filters do not apply to rollups.
    const scope = of.value === "events" ? scopeOf(page.state()) : rangeOf(page.state());
    link.href = withSite(`api/analytics/export?${new URLSearchParams([["of", of.value], ["format", format.value], ...scope])}`);
    link.download = `${of.value}.${format.value}`;
    write(note, of.value === "events" ? "The events of the range, filters included." : "The hours of the range. Filters do not apply.");
  };
  // The last hours are others than when the link was made.
  link.addEventListener("click", refresh);
  for (const choice of [of, format]) choice.addEventListener("change", refresh);
  form.addEventListener("submit", (event) => event.preventDefault());
  leave.addEventListener("click", close);
  place.append(element("h2", [["class", "unseen"]], "Export"), form, note);
  refresh();
  of.focus();
  return { refresh, leave: () => {} };
}

function select(label, rows) {
  return element("select", [["aria-label", label]], ...rows.map(([value, text]) => element("option", [["value", value]], text)));
}
