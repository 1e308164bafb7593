// How the client records an event: its session, what it keeps, and how many events may wait.

/**
 * The session that all tabs of the site share. The visitor's clock alone measures the silence: it may be wrong, but it runs at
 * the right speed. Leaving a page neither begins a session nor prolongs one.
 */
function session(at, type) {
  const [known, last] = (get(SESSION) ?? "").split(" ");
  if (type === "page_left") return known;
  const silence = Math.abs(Date.now() - last);
  const on = known && silence < 30 * MINUTE;
  const id = on ? known : `session_${at}_${random()}`;
  if (!on || silence > 5_000) put(SESSION, `${id} ${Date.now()}`); // to write costs more than to read
  return id;
}

/** Who visits, where the page asks for that and no user is known. */
function visitor() {
  if (options.visitor !== "local") return undefined;
  if (!get(VISITOR)) put(VISITOR, `v-${random()}`);
  return get(VISITOR);
}

/** Whether a session is in the sample: the same for all of its events. */
const sampled = (id) => parseInt(id.slice(-7), 36) / 2 ** 32 < options.sampleRate;

const refused = () => options.respectPrivacy && (navigator.doNotTrack === "1" || navigator.globalPrivacyControl);

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
  if (!inBrowser) return null;
  if (refused()) {
    remove(VISITOR);
    return null;
  }
  due();
  flaws.clear();
  const event = { demo_mode: flagOf(given.demo_mode ?? options.demo, "demo_mode"), properties: propertiesOf(given.properties) };
  const texts = { event_type: eventType, tool_name: given.tool_name, action: given.action, user_id: given.user_id ?? get(USER) };
  for (const name in texts) event[name] = textOf(texts[name], name === "user_id" ? 256 : 128, name);
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
  event.session_id = session(at, event.event_type);
  if (!sampled(event.session_id)) return null;
  event.user_id ??= visitor();
  last = Math.max(1_000 * at, last + 1);
  stamp(event, last);
  if (options.debug) console.log(JSON.stringify({ type: "analytics_event", ...event }));
  recent.push(event);
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
    forget(key);
    report("overflow");
  }
  if (recent.length > MOST_KEPT || size + weight(HISTORY) > ROOM) remember(true);
}
