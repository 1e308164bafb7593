// Page views that the client sends by itself, where the page asks for them (`data-auto`).

let viewed = null; // the path of the last view
let isWatching = false;

/** Count this page, and each page that a single-page app shows without a load. */
function watch() {
  if (isWatching) return;
  isWatching = true;
  view();
  for (const name of ["pushState", "replaceState"]) quietly(() => follow(globalThis.history, name));
  addEventListener("popstate", view);
  addEventListener("pageshow", (event) => { // the visitor comes back to a page that was kept alive
    if (!event.persisted) return;
    viewed = null;
    view();
  });
}

function follow(pages, name) {
  const original = pages[name];
  pages[name] = function (...given) {
    const result = original.apply(this, given);
    view();
    return result;
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
  track("page_viewed", { tool_name: [...path].slice(0, 128).join(""), properties: { path } });
}
