// Which cards the reader sees, in which order: those of a web site or those of a product, unless the reader has chosen.

import { find, hide } from "../core/dom.js";
import { METRICS } from "../core/definitions.js";
import { kept, keep } from "../core/kept.js";

const WEB = ["now", "visitors", "page_views", "sessions", "bounce_rate", "visit_duration", "pages_per_visit", "events"];
const ALL = [...WEB, ...METRICS.filter((name) => !WEB.includes(name))];
const NAME = "cards";

const usual = (isWeb) => (isWeb ? WEB : METRICS);

// [{id, title, isShown}] in the order of the page.
export function cards(isWeb) {
  const shown = kept(NAME, null) ?? usual(isWeb);
  const order = [...shown, ...ALL.filter((id) => !shown.includes(id))];
  return order.map((id) => ({ id, title: find(`card-${id}`).querySelector(".card-name").textContent, isShown: shown.includes(id) }));
}

export function setShown(id, isShown, isWeb) {
  const shown = cards(isWeb).filter((card) => (card.id === id ? isShown : card.isShown)).map((card) => card.id);
  keep(NAME, shown.length ? shown : null);
}

export const reset = () => keep(NAME, null);

export function arrange(isWeb) {
  const list = find("cards").querySelector(".cards");
  const wanted = cards(isWeb);
  const items = wanted.map(({ id }) => find(`card-${id}`).parentElement);
  if (items.some((item, place) => list.children[place] !== item)) list.append(...items);
  for (const [place, item] of items.entries()) hide(item, !wanted[place].isShown);
}
