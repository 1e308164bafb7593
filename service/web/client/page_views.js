// Pages that the client counts by itself, where the page asks for that (`data-auto`), and how long they were seen.

const UTM = /^utm_(source|medium|campaign|term|content)$/;
const TITLED = 100; // ms after which an app has given its page a title

let wanted = null; // the words of `auto`
let viewed = null; // the path of the last view; empty when the page comes back
let untitled = null; // what is known of that view, while it waits for its title
let shown = NaN; // when the page came into sight; not a number while it is hidden
let deepest = 0; // how far down the page was seen, in pixels

const wants = (word) => wanted.includes(word);

/** Begin what `auto` asks for. */
function watch() {
  if (!inBrowser || wanted || /^(false|null)$/.test(options.auto)) return;
  wanted = `${options.auto}`.replace(/^(true)?$/, "views").split(/[\s,]+/);
  view();
  quietly(() => ["pushState", "replaceState"].forEach(follow));
  addEventListener("popstate", view);
  addEventListener("scroll", see, { passive: true });
  addEventListener("pageshow", (event) => { // the visitor comes back to a page that was kept alive
    if (event.persisted) viewed = "";
    view();
  });
  ["click", "auxclick", "submit"].forEach((type) => addEventListener(type, (event) => safely(() => act(event)), true));
}

function follow(name) {
  const original = history[name];
  history[name] = (...given) => {
    original.apply(history, given);
    view();
  };
}

/** An address without query and fragment, which may hold secrets. */
const addressOf = (text) => text.split(/[?#]/)[0];

/** Begin a view. A path counts once, because apps also write queries and states of the page that is shown. */
function view() {
  const path = location.pathname + (options.hash ? location.hash.split("?")[0] : "");
  if (path === viewed) return;
  turn();
  const isFirst = viewed === null;
  const from = document.referrer;
  const referrer = (isFirst && !from.startsWith(`${location.origin}/`) && addressOf(from)) || undefined;
  viewed = path;
  untitled = { path, referrer, screen: `${screen.width}x${screen.height}`, language: navigator.language };
  for (const [name, value] of new URLSearchParams(location.search)) if (UTM.test(name)) untitled[name] = value;
  deepest = 0;
  if (!isFirst) setTimeout(due, TITLED);
  else if (document.readyState === "loading") addEventListener("DOMContentLoaded", due);
  else due();
}

/** Record the view that waits for its title. */
function due() {
  const properties = untitled;
  if (!properties) return;
  untitled = null;
  const { path, referrer } = properties;
  properties.title = document.title || undefined;
  if (wants("views")) track("page_viewed", { tool_name: path.slice(0, 128), properties });
  if (options[404] || document.querySelector("meta[name=hourledger][content='404']")) {
    track("page_not_found", { properties: { path, referrer } });
  }
  options[404] = false; // an app goes on to other pages
}

const see = () => { deepest = Math.max(deepest, scrollY + innerHeight); };

/** The page is left, hidden or shown again: record how long it was in sight. */
function turn() {
  due();
  see();
  const at = performance.now();
  const seconds = Math.round((at - shown) / 100) / 10;
  if (seconds && viewed && wants("leave")) {
    const scroll = Math.min(100, Math.round((100 * deepest) / document.documentElement.scrollHeight));
    track("page_left", { properties: { path: viewed, seconds, scroll } });
  }
  shown = document.hidden ? NaN : at;
}
