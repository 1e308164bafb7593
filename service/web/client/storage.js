// The browser client, in parts that set-up joins in the order of PARTS (service/web/assets.py): what it keeps, how it mends an
// event, how it records one, how it sends, which pages and actions it records by itself, how it starts. Set-up wraps them as a
// classic script and as an ES module, which give it `tag`, the script element or null, and `here`, the address it was loaded
// from.
//
// Every event is kept in localStorage, under a key of its own, from the moment it happens until an answer names it.
// An event that is sent twice has the same id, so it counts once.

const OUTBOX = "hourledger_outbox:";
const HISTORY = "cv_analytics_events";
const SESSION = "hourledger_session";
const USER = "hourledger_user";
const VISITOR = "hourledger_visitor";
const CLOCK = "hourledger_clock"; // the correction that the last answer of any tab told
const TIMED = "hourledger_timed";
const MINUTE = 60_000;
const MOST_WAITING = 2_000;
const MOST_KEPT = 1_000; // in the history
const BUDGET = 1_000_000; // characters of storage for all of it, because a browser gives a site five million
const UNCHECKED = 50_000; // characters that may come between two looks at the budget
const ROOM = BUDGET - UNCHECKED;
const BATCH = 200;
const BATCH_BYTES = 200_000;
const BEACON_BYTES = 60_000; // browsers take 64 KiB
const PROPERTIES = 16_384; // bytes
const DEEPEST = 32;
const LONGEST_PAUSE = 5 * MINUTE;

const home = /^http/.test(here) && here; // a bundled module does not know its own
const inBrowser = typeof document !== "undefined";
const options = {
  endpoint: "", writeKey: "", demo: false, sendToBackend: true, respectPrivacy: true, sampleRate: 1, visitor: "",
  auto: "false", hash: false, 404: false,
  debug: inBrowser && /^(localhost|127\.|\[::1\])/.test(location.hostname),
};
const memory = new Map(); // what storage does not take
const fresh = new Map(); // happened on this page before it was timed, by key: not sent yet
const beaconed = new Set();
const reasons = {};
let recent = []; // events of the history that are not written yet
let sent = 0;
let dropped = 0;
let ready = false; // to send: a module has to be told where first
let isRefused = false; // the service answers, but not to this page
let offset = 0; // of the server's clock from ours in ms: a guess until this tab is timed
let isTimed = false; // an answer to this tab told the time
let last = 0; // the time of the newest event, in microseconds
let running = null; // the flush under way
let timer = 0;
let failures = 0;
let most = BATCH;
let unchecked = BUDGET; // characters that came since the last look; the first event looks
const prerendered = []; // events of a page that the visitor has not seen yet

/** Do something that the browser may refuse; gives undefined then. */
function quietly(work) {
  try {
    return work();
  } catch { /* there is nothing to be done */ }
}

// Storage throws when it is blocked or full. Then the page's memory is used.
const store = (key) => (key === TIMED ? sessionStorage : localStorage);

const get = (key) => memory.get(key) ?? quietly(() => store(key).getItem(key)) ?? null;

function put(key, text) {
  const write = () => {
    store(key).setItem(key, text);
    return memory.delete(key);
  };
  memory.set(key, text);
  if (quietly(write)) return;
  quietly(() => localStorage.removeItem(HISTORY)); // it gives way to everything else
  quietly(write);
}

function remove(key) {
  memory.delete(key);
  quietly(() => store(key).removeItem(key));
}

/** The keys of events that wait, in the order of the calls, including those of other tabs and earlier pages. */
function waiting() {
  const stored = quietly(() => Object.keys(localStorage)) ?? [];
  return [...new Set([...memory.keys(), ...stored])].filter((key) => key.startsWith(OUTBOX)).sort();
}

/** The characters that an event takes in the storage. */
const weight = (key) => key.length + (get(key)?.length ?? 0);

const weightOf = (keys) => keys.reduce((sum, key) => sum + weight(key), 0);

/** lost: how many events are dropped; none when a part was mended or left out. The console names faults of the page once. */
function report(reason, detail, lost = 1) {
  const isTold = /^(bot|refused|unauth)/.test(reason) ? !reasons[reason] : options.debug;
  reasons[reason] = (reasons[reason] ?? 0) + (lost || 1);
  dropped += lost;
  if (isTold) console.warn("hourledger:", reason, detail?.message ?? detail);
  quietly(() => options.onError?.(reason, detail));
}

const random = () => Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36).padStart(7, "0")).join("");
const now = () => Date.now() + offset;
/** The bytes of a text and a comma. */
const bytesOf = (text) => new TextEncoder().encode(text).length + 1;
