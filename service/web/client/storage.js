// The browser client, in four parts that set-up joins in the order of PARTS (service/web/assets.py): what it keeps, how it
// records, how it sends, how it starts. Set-up wraps it as a classic script and as an ES module, which give it `tag`, the
// script element or null, and `here`, the address it was loaded from.
//
// Every event is kept in localStorage, under a key of its own, from the moment it happens until an answer names it.
// An event that is sent twice has the same id, so it counts once.

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

/** Do something that the browser may refuse; gives undefined then. */
function quietly(work) {
  try {
    return work();
  } catch { /* there is nothing to be done */ }
}

// Storage throws when it is blocked or full. Then the page's memory is used.
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

/** The keys of events that wait, oldest first, including those of other tabs and earlier pages. */
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
