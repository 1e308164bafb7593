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

/** Drop the oldest events that wait, and a tenth more, so that this is rare. */
function bound() {
  const keys = waiting();
  if (keys.length <= MOST_WAITING) return;
  for (const key of keys.slice(0, -0.9 * MOST_WAITING)) {
    remove(key);
    report("overflow");
  }
}
