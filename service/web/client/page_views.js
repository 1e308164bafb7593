// Page views that the client sends by itself, where the page asks for them (`data-auto`).

let viewed = null; // the path of the last view

/** With `auto`, count this page, and each page that a single-page app shows without a load. */
function watch() {
  if (!options.auto || !inBrowser || viewed) return; // the last: it watches already
  view();
  quietly(() => ["pushState", "replaceState"].forEach(follow));
  addEventListener("popstate", view);
  addEventListener("pageshow", (event) => { // the visitor comes back to a page that was kept alive
    if (event.persisted) viewed = null;
    view();
  });
}

function follow(name) {
  const pages = globalThis.history;
  const original = pages[name];
  pages[name] = (...given) => {
    original.apply(pages, given);
    view();
  };
}

/**
 * Count a path once, because apps also write queries and states of the page that is shown. Query and fragment may hold
 * secrets, so they are left out.
 */
function view() {
  const path = location.pathname;
  if (path === viewed) return;
  viewed = path;
  track("page_viewed", { tool_name: path.slice(0, 128), properties: { path } });
}
