// How the client sends: in batches, from one tab at a time, with the server's clock, and when the page is left.

/** Flush after a pause, when the page is idle. A pause under way is not shortened. */
function plan(pause) {
  ready ||= !pause;
  timer ||= setTimeout(() => (globalThis.requestIdleCallback ?? setTimeout)(flush, { timeout: 2_000 }), pause);
}

/** Send the events that wait. Done when all are sent, or the rest must wait. */
async function flush() {
  due();
  clearTimeout(timer);
  timer = 0;
  running ||= inBrowser && send().then(() => {
    running = null;
    remember();
    if (options.sendToBackend && waiting().length) plan(1_000); // unless it has to wait for longer
  });
  return running;
}

async function send() {
  let begun = false;
  const work = async (lock) => {
    begun = true;
    if (lock === null) plan(2_000); // another tab sends
    else while (options.sendToBackend && await sendSome().catch(() => retry()));
  };
  await quietly(() => navigator.locks.request("hourledger", { ifAvailable: true }, work))?.catch(() => {});
  if (!begun) await work(); // there are no locks, or they are denied
}

/** The oldest events that wait, as texts by their keys: as many as fit, but one in any case. */
function oldest(number, bytes, isLeft) {
  const texts = new Map();
  for (const key of waiting()) {
    const text = get(key);
    if (!text || (isLeft && beaconed.has(key))) continue;
    bytes -= bytesOf(text);
    if (texts.size >= number || (bytes < 0 && texts.size)) break;
    texts.set(key, text);
  }
  return texts;
}

/** The body of a request: a text, so that its type is text/plain and a page of another origin needs no permission first. */
const bodyOf = (texts) => `[${[...texts.values()]}]`;

/** Post a batch. Give up a request that hangs, because it would keep other tabs from sending. */
function post(texts, how) {
  const headers = options.writeKey ? { "x-write-key": options.writeKey } : {};
  const signal = AbortSignal.timeout?.(MINUTE);
  return fetch(address(), { method: "POST", credentials: "omit", signal, headers, body: bodyOf(texts), ...how });
}

const address = () => `${options.endpoint}/batch`;

/** Send one batch; true when there may be more to send now. An empty one asks for the time, while events can be corrected. */
async function sendSome() {
  if (!waiting().length) return false;
  const texts = isTimed ? oldest(most, BATCH_BYTES) : new Map();
  if (isTimed && !texts.size) return false;
  const asked = Date.now();
  let answer;
  try {
    answer = await post(texts);
  } catch { // no network, no answer in a minute, or an answer that this page may not read
    return await isUnreadable() ? refuse() : retry();
  }
  noteClock(answer, asked);
  return settle(answer, [...texts.keys()]);
}

/** Whether the service answers, but to no request whose answer this page could read. A service that starts is none. */
async function isUnreadable() {
  if (isRefused || isTimed || !failures) return isRefused;
  const answer = await post(new Map(), { mode: "no-cors" }).catch(() => null);
  return answer?.type === "opaque";
}

/** Tell whoever made the page, once; then ask rarely. why: what the service said, when the page can read it. */
function refuse(why) {
  if (!isRefused) {
    report("refused_origin", why ?? `${options.endpoint} takes no events from ${location.origin}; add it to HOURLEDGER_CORS_ORIGINS`, 0);
  }
  isRefused = true;
  failures = 9;
  return retry();
}

async function settle(answer, keys) {
  const { status } = answer;
  const said = await answer.json().catch(() => null);
  if (said?.event_ids?.length === keys.length) {
    const errors = [];
    for (const error of said.errors) errors[error.index] = error;
    keys.forEach((key, index) => {
      const error = errors[index];
      if (error?.code === "unavailable") return;
      if (error) report(error.code, error);
      else sent += 1;
      forget(key);
    });
    if (said.ok) {
      failures = 0;
      isRefused = false;
      most = Math.min(2 * most, BATCH);
      return true;
    }
  } else if (status === 403 && (said?.error || !keys.length)) {
    return refuse(said?.error);
  } else if ([400, 403, 413].includes(status) && keys.length > 1) {
    most = Math.ceil(keys.length / 2);
    return true;
  } else if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
    if (keys.length) report(said?.error?.code ?? `http_${status}`, said?.error, keys.length);
    keys.forEach(forget);
    return true;
  }
  return retry(answer.headers.get("retry-after") * 1_000);
}

function forget(key) {
  remove(key);
  fresh.delete(key);
  beaconed.delete(key);
}

/** Wait longer each time, with some chance so that clients do not return together; or as long as the service says. */
function retry(after) {
  const pause = Math.min(500 * 2 ** ++failures, LONGEST_PAUSE);
  plan(after >= 1_000 ? Math.min(after, 60 * MINUTE) + Math.random() * 1_000 : pause * (0.5 + Math.random() / 2));
  return false;
}

/** A correction stays as it is while it is right to the minute: a new one with each answer would change the order of events. */
function noteClock(answer, asked) {
  const received = Date.now();
  if (received - asked > MINUTE) return; // or the machine slept meanwhile
  const off = Math.round(Date.parse(answer.headers.get("date")) + 500 - (asked + received) / 2 - offset);
  const moved = Math.abs(off) > MINUTE ? off : 0; // none when there is no date
  if (isTimed && !moved) return;
  offset += moved;
  last += 1_000 * moved;
  put(CLOCK, offset);
  isTimed = true;
  put(TIMED, isTimed);
  for (const [key, event] of moved ? fresh : []) {
    if (!get(key)) continue; // it is sent
    remove(key);
    stamp(event, +event.event_id.split("_")[1] + 1_000 * moved);
    put(OUTBOX + event.event_id, JSON.stringify(event));
  }
  fresh.clear();
}

/** Write new events to the history: the last thousand of a day, as far as the budget has room beside the events that wait. */
function remember(isOver) {
  if (!recent.length && !isOver) return;
  const kept = quietly(() => [...JSON.parse(get(HISTORY))]) ?? [];
  const since = new Date(now() - 1_440 * MINUTE).toISOString();
  let room = 0.9 * (ROOM - weightOf(waiting()));
  const texts = [];
  for (const event of [...kept, ...recent].reverse()) {
    if (!(event?.timestamp >= since)) continue;
    const text = JSON.stringify(event);
    room -= text.length + 1;
    if (room < 0 || texts.push(text) >= MOST_KEPT) break;
  }
  put(HISTORY, `[${texts.reverse()}]`);
  recent = [];
}

/** The page may be gone in a moment: hand over what fits. Nothing says whether it arrives, so keep it. */
function leave() {
  turn();
  remember();
  if (!options.sendToBackend || !ready || isRefused || !navigator.sendBeacon) return;
  const texts = oldest(Infinity, BEACON_BYTES, true);
  for (const key of texts.keys()) {
    beaconed.add(key);
    fresh.delete(key);
  }
  const key = options.writeKey && `?key=${encodeURIComponent(options.writeKey)}`;
  if (texts.size && !navigator.sendBeacon(address() + key, bodyOf(texts))) beaconed.clear();
}
