// The browser client. Set-up wraps it as a classic script and as an ES module (service/web/assets.py), which give it
// `tag`, the script element or null, and `here`, the address it was loaded from.
//
// Every event is kept in localStorage, under a key of its own, from the moment it happens until an answer names it.
// Whatever is sent twice has the same id, and counts once.

const OUTBOX = "hourledger_outbox:";
const HISTORY = "cv_analytics_events";
const SESSION = "hourledger_session";
const USER = "hourledger_user";
const CLOCK = "hourledger_clock";
const MINUTE = 60_000;
const MOST_WAITING = 2_000;
const MOST_KEPT = 1_000; // in the history
const BATCH = 200;
const BATCH_BYTES = 200_000;
const BEACON_BYTES = 60_000; // browsers take 64 KiB
const PROPERTIES = 16_384;
const LONGEST_PAUSE = 5 * MINUTE;

const home = /^http/.test(here) && here; // a bundled module does not know
const inBrowser = typeof document !== "undefined";
const options = {
  endpoint: "/e", writeKey: "", demo: true, sendToBackend: true, respectPrivacy: true, sampleRate: 1,
  debug: inBrowser && /^(localhost|127\.|\[::1\])/.test(location.hostname),
};
const memory = new Map(); // what storage does not take
const fresh = new Map(); // happened on this page before the clock was known, by key: not sent yet
const beaconed = new Set();
const reasons = {};
let history = []; // not written yet
let sent = 0;
let dropped = 0;
let ready = false; // to send: a module has to be told where first
let offset = null; // of the server's clock from ours in ms; null while it is not known
let running = null; // the flush under way
let timer = 0;
let failures = 0;
let most = BATCH;
let serial = 0;

/** Do what may throw for reasons that are not ours. */
function quietly(work) {
  try {
    return work();
  } catch { /* there is nothing to be done */ }
}

// Storage throws when it is blocked or full; then this page's memory has to do.
const store = (key) => (key === SESSION || key === CLOCK ? sessionStorage : localStorage);

const get = (key) => memory.get(key) ?? quietly(() => store(key).getItem(key)) ?? null;

function put(key, text) {
  try {
    store(key).setItem(key, text);
    memory.delete(key);
  } catch {
    memory.set(key, text);
  }
}

function remove(key) {
  memory.delete(key);
  fresh.delete(key);
  quietly(() => store(key).removeItem(key));
}

/** The keys of what waits, oldest first, other tabs' and former pages' included. */
function waiting() {
  const stored = quietly(() => Object.keys(localStorage)) ?? [];
  return [...new Set([...memory.keys(), ...stored])].filter((key) => key.startsWith(OUTBOX)).sort();
}

function report(reason, detail, count = 1) {
  reasons[reason] = (reasons[reason] ?? 0) + count;
  dropped += count;
  if (options.debug) console.warn("hourledger:", reason, detail);
  quietly(() => options.onError?.(reason, detail));
}

const random = () => Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36).padStart(7, "0")).join("");
const now = () => Date.now() + (offset ?? 0);
const cut = (value, length) => (value == null || value === "" ? undefined : [...String(value).slice(0, 2 * length)].slice(0, length).join(""));

/** Silence is measured by the visitor's clock alone, which is right about that. */
function session(at) {
  const [known, last] = (get(SESSION) ?? "").split(" ");
  const silence = Date.now() - last;
  const on = known && silence < 30 * MINUTE;
  const id = on ? known : `session_${at}_${random()}`;
  if (!on || silence > 5_000) put(SESSION, `${id} ${Date.now()}`); // to write costs more than to read
  return id;
}

/** Whether a session is one of those that are counted: the same for all of its events. */
const sampled = (id) => parseInt(id.slice(-7), 36) / 2 ** 32 < options.sampleRate;

const refused = () => options.respectPrivacy && (navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true);

function propertiesOf(given) {
  if (given == null) return undefined;
  try {
    const text = JSON.stringify(given, (_, value) => (typeof value === "bigint" ? String(value) : value));
    if (text.length * 3 > PROPERTIES && new Blob([text]).size > PROPERTIES) throw RangeError("too large");
    return JSON.parse(text);
  } catch (error) {
    report("properties", error);
    return undefined;
  }
}

/** Record an event; gives its id, or null when it is not recorded. Never throws. */
function track(eventType, given) {
  try {
    return record(eventType, given ?? {});
  } catch (error) {
    report("failed", error);
    return null;
  }
}

function record(eventType, given) {
  if (!inBrowser || refused()) return null;
  const at = now();
  const id = session(at);
  if (!sampled(id)) return null;
  const event = {
    event_id: `evt_${at}_${random()}`,
    event_type: cut(eventType, 128),
    session_id: id,
    timestamp: new Date(at).toISOString(),
    demo_mode: given.demo_mode ?? options.demo,
    tool_name: cut(given.tool_name, 128),
    action: cut(given.action, 128),
    user_id: cut(given.user_id ?? get(USER), 256),
    properties: propertiesOf(given.properties),
  };
  if (options.debug) console.log(JSON.stringify({ type: "analytics_event", ...event }));
  history.push(event);
  if (options.sendToBackend) keep(event);
  ready = true;
  plan(1_000);
  return event.event_id;
}

function keep(event) {
  const key = OUTBOX + event.event_id; // by time, to the millisecond
  put(key, JSON.stringify(event));
  if (offset === null) fresh.set(key, event);
  if (!(serial++ % 100)) bound();
}

/** Drop the oldest of what waits, a tenth more than must be, so that it is seldom. */
function bound() {
  const keys = waiting();
  if (keys.length <= MOST_WAITING) return;
  for (const key of keys.slice(0, -0.9 * MOST_WAITING)) {
    remove(key);
    report("overflow");
  }
}

/** Flush in a while, when the page has nothing else to do; a pause under way is kept to. */
function plan(pause) {
  ready ||= !pause;
  timer ||= setTimeout(() => (globalThis.requestIdleCallback ?? setTimeout)(flush, { timeout: 2_000 }), pause);
}

/** Send what waits, now. Done when all of it is sent, or some has to wait. */
function flush() {
  clearTimeout(timer);
  timer = 0;
  running ||= inBrowser && send().catch(() => retry()).then(() => {
    running = null;
    remember();
    if (options.sendToBackend && waiting().length) plan(1_000); // unless it has to wait for longer
  });
  return Promise.resolve(running);
}

async function send() {
  let begun = false;
  const work = async (lock) => {
    begun = true;
    if (lock === null) plan(2_000); // another tab sends
    else while (options.sendToBackend && await sendSome());
  };
  try {
    await navigator.locks.request("hourledger", { ifAvailable: true }, work);
  } catch (error) { // there are none, or they are denied
    if (begun) throw error;
    await work();
  }
}

// What hangs is given up, lest it keep other tabs from sending.
const ask = (address, how) => fetch(address, { credentials: "omit", signal: AbortSignal.timeout?.(MINUTE), ...how });

/** Send one batch; true when there may be more to send now. */
async function sendSome() {
  if (!waiting().length) return false;
  await learnClock();
  const keys = [];
  const texts = [];
  let length = 0;
  for (const key of waiting()) {
    const text = get(key);
    if (keys.length >= most || length > BATCH_BYTES) break;
    if (text === null) continue;
    keys.push(key);
    texts.push(text);
    length += text.length;
  }
  if (!keys.length) return false;
  const asked = Date.now();
  const headers = { "content-type": "text/plain" };
  if (options.writeKey) headers["x-write-key"] = options.writeKey;
  keys.forEach((key) => fresh.delete(key));
  let answer;
  try {
    answer = await ask(`${options.endpoint}/batch`, { method: "POST", headers, body: `[${texts}]` });
  } catch {
    return retry(); // no network, or no answer in a minute
  }
  noteClock(answer, asked);
  return settle(answer, keys);
}

async function settle(answer, keys) {
  const { status } = answer;
  const said = await answer.json().catch(() => null);
  if (said?.event_ids?.length === keys.length) {
    const errors = new Map(said.errors.map((error) => [error.index, error]));
    keys.forEach((key, index) => {
      const error = errors.get(index);
      if (!error) sent += 1;
      else if (error.code === "unavailable") return;
      else report(error.code, error);
      forget(key);
    });
    if (said.ok) {
      failures = 0;
      most = Math.min(2 * most, BATCH);
      return true;
    }
  } else if ((status === 413 || status === 400) && keys.length > 1) {
    most = Math.ceil(keys.length / 2);
    return true;
  } else if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
    report(said?.error?.code ?? `http_${status}`, said?.error, keys.length);
    keys.forEach(forget);
    return true;
  }
  return retry(answer.headers.get("retry-after") * 1_000);
}

function forget(key) {
  remove(key);
  beaconed.delete(key);
}

/** Wait longer and longer, never all at once; or as long as the service says. */
function retry(after) {
  const pause = Math.min(500 * 2 ** ++failures, LONGEST_PAUSE);
  plan(after >= 1_000 ? Math.min(after, 60 * MINUTE) + Math.random() * 1_000 : pause * (0.5 + Math.random() / 2));
  return false;
}

/** Ask for the time before the first batch of a tab: what has not been sent yet can still be corrected. */
async function learnClock() {
  if (offset !== null || !home) return;
  const asked = Date.now();
  try {
    noteClock(await ask(home, { method: "HEAD", cache: "no-store" }), asked);
  } catch { /* the next answer tells */ }
}

function noteClock(answer, asked) {
  const told = Date.parse(answer.headers.get("date"));
  if (!told || Date.now() - asked > MINUTE) return; // or the machine slept meanwhile
  const off = told + 500 - (asked + Date.now()) / 2;
  offset = Math.abs(off) > MINUTE ? Math.round(off) : 0;
  put(CLOCK, offset);
  for (const [key, event] of offset ? fresh : []) {
    if (get(key) === null) continue; // another tab has sent it
    const at = Date.parse(event.timestamp) + offset;
    event.timestamp = new Date(at).toISOString();
    event.event_id = event.event_id.replace(/\d+/, at);
    put(key, JSON.stringify(event));
  }
  fresh.clear();
}

/** Write what happened to the history: the last thousand of a day. */
function remember() {
  if (!history.length) return;
  const kept = quietly(() => [...JSON.parse(get(HISTORY))]) ?? [];
  const since = new Date(now() - 1_440 * MINUTE).toISOString();
  put(HISTORY, JSON.stringify([...kept, ...history].filter((event) => event?.timestamp >= since).slice(-MOST_KEPT)));
  history = [];
}

/** The page may be gone in a moment: hand over what fits. Whether it arrives is not told, so it is kept. */
function leave() {
  remember();
  if (!options.sendToBackend || !ready || !navigator.sendBeacon) return;
  const texts = [];
  let length = 0;
  for (const key of waiting()) {
    const text = get(key);
    if (text === null || beaconed.has(key)) continue;
    length += new Blob([text]).size + 1;
    if (length > BEACON_BYTES) break;
    texts.push(text);
    beaconed.add(key);
    fresh.delete(key);
  }
  const address = `${options.endpoint}/batch${options.writeKey ? `?key=${encodeURIComponent(options.writeKey)}` : ""}`;
  if (texts.length && !navigator.sendBeacon(address, new Blob([`[${texts}]`], { type: "text/plain" }))) beaconed.clear();
}

function set(given) {
  for (const [name, value] of Object.entries(given ?? {})) if (value !== undefined) options[name] = value;
  options.endpoint = options.endpoint.replace(/\/$/, "");
}

function begin() {
  const data = tag?.dataset ?? {};
  const flag = (text) => (text === undefined ? undefined : text !== "false");
  set({
    endpoint: new URL(data.endpoint ?? "/e", !data.endpoint && home || location.href).href,
    writeKey: data.writeKey,
    demo: flag(data.demo),
    sendToBackend: flag(data.sendToBackend),
    respectPrivacy: flag(data.respectPrivacy),
    sampleRate: data.sampleRate === undefined ? undefined : Number(data.sampleRate),
    debug: flag(data.debug),
  });
  const known = get(CLOCK);
  if (known !== null) offset = Number(known);
  addEventListener("online", () => { failures = 0; flush(); });
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : beaconed.clear()));
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
  reset: () => { remove(USER); remove(SESSION); },
  exportEvents: () => { remember(); return get(HISTORY) ?? "[]"; },
  stats: () => ({ queued: waiting().length, sent, dropped, reasons: { ...reasons } }),
};
if (inBrowser) begin();
