// Share links: each shows one range with one set of filters to whoever has it.

import { element, write } from "../core/dom.js";
import { counted, dayText, hourText, lastText } from "../core/format.js";
import { filtersOf, hoursOf, rangeShown } from "../core/state.js";
import { copied, creation, endOfDay, field, panel, quiet, removal, table } from "./settings_parts.js";

const DAYS = 30;
const DAY_MS = 86_400_000;

export function linksPanel(page, changed) {
  const label = field("Label", "label", ["placeholder", "its viewers see it"], ["maxlength", "128"]);
  const ends = field("Valid until", "ends", ["type", "date"], ["required", ""], ["value", dateAfter(DAYS)]);
  const origins = field("May be embedded by", "origins", ["placeholder", "https://www.example.com"]);
  const about = quiet("");
  const made = element("div");
  const form = creation("Create a link", [label.node, ends.node, origins.node], {
    page, changed, path: () => "settings/links",
    body: () => ({
      label: label.input.value, expires_at: endOfDay(ends.input.value), filters: Object.fromEntries(filtersOf(page.state())),
      origins: origins.input.value.split(/[\s,]+/).filter(Boolean), ...rangeIn(page.state()),
    }),
    shown: ({ address }) => {
      const whole = new URL(address, location.href).href;
      return [element("p", [], element("strong", [], "The new link. Copy it now: nothing can show it again.")), copied(whole),
        ...(origins.input.value ? [element("p", [], "To embed it:"), copied(`<iframe src="${whole}" width="100%" height="800"></iframe>`)] : [])];
    },
  });
  return {
    node: panel("Share links", made, about, form),
    show({ links }) {
      const filters = filtersOf(page.state());
      write(about, `A new link shows ${rangeText(rangeIn(page.state()))}${filters.length ? `, with the ${counted(filters.length, "filter")} chosen above` : ", without filters"}.`
        + " Choose them above. It shows totals, chart and lists; no single events, no people.");
      made.replaceChildren(table("Share links", ["Link", "Label", "Site", "Shows", "Embedded by", "Until", ""], links.map((link) => [
        element("code", [], link.prefix), element("bdi", [], link.label || "–"), link.site,
        element("bdi", [], [rangeText(link), ...Object.entries(link.filters).map(([name, text]) => (name === "where" ? text : `${name} = ${text}`))].join(", ")),
        link.origins.join(" ") || "no one", (Date.parse(link.expires_at) > Date.now() ? "" : "expired ") + dayText(link.expires_at),
        removal("Revoke", `link ${link.label || link.prefix}`, `settings/links/${link.prefix}`, page, changed),
      ]), "There are no share links."));
    },
  };
}

function rangeIn(state) {
  if (state.range !== "custom") return { hours: hoursOf(state) };
  const [from, to] = rangeShown(state).map((time) => new Date(time).toISOString());
  return { from, to };
}

const rangeText = ({ hours, from, to }) => (hours ? `the ${lastText(hours)}` : `${hourText(from)} to ${hourText(to)}`);

const dateAfter = (days) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
