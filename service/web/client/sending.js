// How the client sends: in batches, from one tab at a time, with the server's clock, and when the page is left.

/** Flush after a pause, when the page is idle. A pause under way is not shortened. */
function plan(pause) {
  ready ||= !pause;
  timer ||= setTimeout(() => (globalThis.requestIdleCallback ?? setTimeout)(flush, { timeout: 2_000 }), pause);
}

/** Send the events that wait. Done when all are sent, or the rest must wait. */
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

// Give up a request that hangs, because it would keep other tabs from sending.
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

/** Wait longer each time, with some chance so that clients do not return together; or as long as the service says. */
function retry(after) {
  const pause = Math.min(500 * 2 ** ++failures, LONGEST_PAUSE);
  plan(after >= 1_000 ? Math.min(after, 60 * MINUTE) + Math.random() * 1_000 : pause * (0.5 + Math.random() / 2));
  return false;
}

/** Ask for the time before the first batch of a tab, while events can still be corrected. */
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

/** Write new events to the history: the last thousand of a day. */
function remember() {
  if (!history.length) return;
  const kept = quietly(() => [...JSON.parse(get(HISTORY))]) ?? [];
  const since = new Date(now() - 1_440 * MINUTE).toISOString();
  put(HISTORY, JSON.stringify([...kept, ...history].filter((event) => event?.timestamp >= since).slice(-MOST_KEPT)));
  history = [];
}

/** The page may be gone in a moment: hand over what fits. Nothing says whether it arrives, so keep it. */
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
