// How the client records an event: its session, what it keeps, and how many events may wait.

/** The visitor's clock alone measures the silence: it may be wrong, but it runs at the right speed. */
function session(at) {
  const [known, last] = (get(SESSION) ?? "").split(" ");
  const silence = Date.now() - last;
  const on = known && silence < 30 * MINUTE;
  const id = on ? known : `session_${at}_${random()}`;
  if (!on || silence > 5_000) put(SESSION, `${id} ${Date.now()}`); // to write costs more than to read
  return id;
}

/** Whether a session is in the sample: the same for all of its events. */
const sampled = (id) => parseInt(id.slice(-7), 36) / 2 ** 32 < options.sampleRate;

const refused = () => options.respectPrivacy && (navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true);

/** Record an event; gives its id, or null when it is not recorded, or not yet. Never throws. */
const track = (eventType, given) => safely(() => record(eventType, given ?? {}));

function safely(work) {
  try {
    return work();
  } catch (error) {
    report("failed", error);
    return null;
  }
}

function record(eventType, given) {
  if (!inBrowser || refused()) return null;
  flaws.clear();
  const event = {
    event_type: textOf(eventType, 128, "event_type"),
    demo_mode: flagOf(given.demo_mode ?? options.demo, "demo_mode"),
    tool_name: textOf(given.tool_name, 128, "tool_name"),
    action: textOf(given.action, 128, "action"),
    user_id: textOf(given.user_id ?? get(USER), 256, "user_id"),
    properties: propertiesOf(given.properties),
  };
  if (flaws.size) report("mended", [...flaws], 0);
  if (!document.prerendering) return take(event);
  if (prerendered.push(event) > MOST_WAITING) {
    prerendered.shift();
    report("overflow");
  }
  return null;
}

/** The visitor sees the event: it belongs to a session from now on. Gives its id. */
function take(event) {
  const at = now();
  event.session_id = session(at);
  if (!sampled(event.session_id)) return null;
  last = Math.max(1_000 * at, last + 1);
  stamp(event, last);
  if (options.debug) console.log(JSON.stringify({ type: "analytics_event", ...event }));
  history.push(event);
  if (options.sendToBackend) keep(event);
  ready = true;
  plan(1_000);
  return event.event_id;
}

/** Give an event its time, in microseconds, and the id that begins with it. */
function stamp(event, at) {
  event.event_id = `evt_${at}_${random()}`;
  event.timestamp = new Date(at / 1_000).toISOString().replace("Z", `${String(at % 1_000).padStart(3, "0")}Z`);
}

function keep(event) {
  const key = OUTBOX + event.event_id; // by time, so that the order of keys is the order of calls
  const text = JSON.stringify(event);
  put(key, text);
  if (!isTimed) fresh.set(key, event);
  unchecked += key.length + text.length;
  if (unchecked > UNCHECKED) bound();
}

/** Keep to the budget: cut the history, but first drop the oldest events beyond it, and a tenth more, so that this is rare. */
function bound() {
  unchecked = 0;
  const keys = waiting();
  let size = weightOf(keys);
  const isFull = keys.length > MOST_WAITING || size > ROOM;
  while (isFull && (keys.length > 0.9 * MOST_WAITING || size > 0.9 * ROOM)) {
    const key = keys.shift();
    size -= weight(key);
    remove(key);
    report("overflow");
  }
  if (size + weight(HISTORY) > ROOM) remember(true);
}
