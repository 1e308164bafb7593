// The timeline of a session or a user, in a dialog. It loads when the first one opens.

import { style } from "./views.js";

let loaded = null;
let wanted = null;

// wanted: {of: "session" or "user", id}, or null to close.
export async function show(page, given) {
  wanted = given;
  if (!given) return (await loaded)?.close();
  loaded ??= Promise.all([import("../views/timeline.js"), style("views"), style("timeline")]).then(([module]) => module);
  try {
    const module = await loaded;
    if (wanted === given) module.show(page, given);
  } catch {
    loaded = null;
  }
}
