// The panels that there are, and which of them the reader has chosen.

import { kept, keep } from "../core/kept.js";

// tabs: [what the service counts by, name]. list: the part of the summary that has the same rows. measure: what a row counts.
// isWeb: it comes from page views. always: it is shown when it is empty, too.
const KINDS = [
  { id: "sources", title: "Sources", isWeb: true, measure: "visitors",
    tabs: [["properties.$source", "Source"], ["properties.$channel", "Channel"], ["properties.referrer", "Referrer"]] },
  { id: "pages", title: "Pages", isWeb: true, measure: "visitors",
    tabs: [["properties.path", "Page"], ["entry_page", "Entry"], ["exit_page", "Exit"]] },
  { id: "places", title: "Places", isWeb: true, measure: "visitors",  tabs: [["properties.$country", "Country"], ["properties.$region", "Region"]] },
  { id: "devices", title: "Devices", isWeb: true, measure: "visitors",
    tabs: [["properties.$browser", "Browser"], ["properties.$os", "System"], ["properties.$device", "Device"], ["properties.screen", "Screen"],
      ["properties.language", "Language"]] },
  { id: "campaigns", title: "Campaigns", isWeb: true, measure: "visitors",
    tabs: [["properties.utm_campaign", "Campaign"], ["properties.utm_source", "Source"], ["properties.utm_medium", "Medium"],
      ["properties.utm_term", "Term"], ["properties.utm_content", "Content"]] },
  { id: "tools", title: "Tool usage", measure: "events", list: "tool_usage", tabs: [["tool_name", "Tool"]], always: true },
  { id: "risks", title: "Risk modes", measure: "events", list: "risk_distribution", tabs: [["risk_mode", "Risk mode"]] },
  { id: "types", title: "Event types", measure: "events", list: "event_types", tabs: [["event_type", "Type"]], always: true },
  { id: "actions", title: "Top actions", measure: "events", tabs: [["action", "Action"]], always: true },
];
// Web sites first see where visitors come from; on them a page is also a tool.
const WEB_ORDER = ["pages", "sources", "places", "devices", "campaigns", "types", "actions", "risks", "tools"];
const PINNED = "property-";

export const MEASURES = new Map([["events", "Events"], ["sessions", "Sessions"], ["visitors", "Visitors"]]);

// An id has no blanks.
const idOf = (property) => `${PINNED}${encodeURIComponent(property)}`;

const pinnedKind = (property) => ({
  id: idOf(property), title: property, measure: "visitors", tabs: [[`properties.${property}`, property]], isPinned: true, property, always: true,
});

const NAME = "panels";
let isUsual = false;
const read = () => ({ order: [], hidden: [], shown: [], pinned: [], ...(isUsual ? {} : kept(NAME, {})) });

// The page of a share link has the usual panels: a link may not read any property.
export const useUsual = () => { isUsual = true; };

// All panels in the reader's order, each with isShown. isWeb: whether the site has page views.
export function panels(isWeb) {
  const { order, hidden, shown, pinned } = read();
  const all = [...KINDS, ...pinned.map(pinnedKind)];
  const usual = isWeb ? WEB_ORDER : KINDS.map(({ id }) => id);
  const place = ({ id }) => {
    const chosen = order.indexOf(id);
    if (chosen >= 0) return chosen;
    const own = usual.indexOf(id);
    return order.length + (own < 0 ? usual.length : own);
  };
  return all.map((kind) => ({ ...kind, isShown: kind.isPinned || shown.includes(kind.id) || (!hidden.includes(kind.id) && (isWeb || !kind.isWeb)) }))
    .sort((one, other) => place(one) - place(other));
}

export function setShown(id, isShown) {
  const { hidden, shown, ...rest } = read();
  keep(NAME, { ...rest,
    hidden: isShown ? hidden.filter((each) => each !== id) : [...new Set([...hidden, id])],
    shown: isShown ? [...new Set([...shown, id])] : shown.filter((each) => each !== id) });
}

// Move a panel by one place among those that are there.
export function move(id, by, isWeb) {
  const order = panels(isWeb).map((kind) => kind.id);
  const from = order.indexOf(id);
  const to = from + by;
  if (to < 0 || to >= order.length) return;
  order.splice(to, 0, ...order.splice(from, 1));
  keep(NAME, { ...read(), order });
}

export function pin(property) {
  const { pinned, ...rest } = read();
  if (!pinned.includes(property)) keep(NAME, { ...rest, pinned: [...pinned, property] });
}

export function unpin(property) {
  const { pinned, order, ...rest } = read();
  keep(NAME, { ...rest, pinned: pinned.filter((each) => each !== property), order: order.filter((each) => each !== idOf(property)) });
}

export const reset = () => keep(NAME, null);
