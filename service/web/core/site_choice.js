// The choice of the site, where there are several. Another site is another page, so that nothing of the former one stays.

import { get } from "./api.js";
import { element, find, hide } from "./dom.js";
import { usualMetric } from "./site_kind.js";
import { address } from "./state.js";

export function start(current) {
  find("site").addEventListener("change", ({ target: { value } }) => {
    const { metric, ...rest } = current();
    location.assign(address({ ...rest, site: value, metric: metric === usualMetric(rest.site) ? usualMetric(value) : metric }));
  });
}

// Read which sites there are.
export async function read() {
  try {
    const { site, sites } = await get("access", [], new AbortController().signal);
    find("site").replaceChildren(...sites.map((name) => element("option", [["value", name]], name)));
    find("site").value = site;
    hide(find("site-choice"), sites.length < 2);
  } catch {
    // The parts of the page say what is wrong.
    hide(find("site-choice"), true);
  }
}
