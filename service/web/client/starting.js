// How the client starts, and what a page can call.

function set(given) {
  for (const [name, value] of Object.entries({ ...given })) if (value !== undefined) options[name] = value;
  options.endpoint = options.endpoint.replace(/\/$/, "");
  watch();
}

function begin() {
  const data = tag?.dataset ?? {};
  for (const name in options) {
    if (name in data) options[name] = typeof options[name] === "boolean" ? data[name] !== "false" : data[name];
  }
  offset = +get(CLOCK) || 0;
  isTimed = !!get(TIMED);
  addEventListener("online", () => { failures = 0; flush(); });
  addEventListener("pagehide", leave);
  document.addEventListener("prerenderingchange", () => prerendered.splice(0).forEach((event) => safely(() => take(event))));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    turn();
    beaconed.clear();
  });
  set({ endpoint: new URL(data.endpoint ?? (home ? "e" : "/e"), !data.endpoint && home || location.href).href });
  if (tag) plan(0);
}

function init(given) {
  set(given);
  plan(0);
}

const client = {
  init,
  track,
  flush,
  trackToolUsage: (tool, action, properties) => track("tool_used", { tool_name: tool, action, properties }),
  trackRiskModeChange: (mode, previous) => track("risk_mode_changed", { properties: { risk_mode: mode, previous_mode: previous } }),
  trackFeatureInteraction: (feature, action, properties) => track("feature_used", { action, properties: { ...properties, feature } }),
  identify: (userId) => (userId == null ? remove(USER) : put(USER, `${userId}`)),
  reset: () => [USER, SESSION, VISITOR].forEach(remove),
  exportEvents: () => { remember(); return get(HISTORY) ?? "[]"; },
  stats: () => ({ queued: waiting().length, sent, dropped, reasons: { ...reasons } }),
};
if (inBrowser) begin();
