// Whether a site has page views. This browser keeps it, so that the page has its shape before the first answer.

import { kept, keep } from "./kept.js";

const NAME = "sites-with-pages";

export const hasPages = (site) => kept(NAME, []).includes(site);

export const sawPages = (site) => keep(NAME, [...kept(NAME, []), site]);

// The metric of the chart until the reader chooses one.
export const usualMetric = (site) => (hasPages(site) ? "visitors" : "events");
