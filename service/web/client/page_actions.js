// What visitors do on a page that the client records by itself: links, files, forms, and elements that name an event.

const FILE = /\.(pdf|docx?|xlsx?|pptx?|csv|txt|zip|rar|7z|t?gz|dmg|exe|mp[34]|mov)$/i;

function act({ target, type, button }) {
  if (!target.closest || button > 1) return; // 1: opens a link in a new tab
  const isForm = type === "submit";
  const marked = target.closest("[data-hl-event]");
  const control = target.closest("label")?.control; // the browser clicks it next, when the label is clicked
  const isLast = !marked?.contains(control) || control.contains(target);
  if (marked?.matches("form") === isForm && isLast) track(marked.dataset.hlEvent, { properties: propertiesIn(marked) });
  if (isForm && wants("forms")) {
    const form = target.getAttribute("id") ?? target.getAttribute("name") ?? undefined;
    track("form_submitted", { properties: { form, path: viewed } });
  }
  const link = target.closest("a[href]");
  if (isForm || !/^http/.test(link?.protocol)) return;
  const properties = { url: addressOf(link.href) };
  const isFile = link.hasAttribute("download") || FILE.test(link.pathname);
  if (isFile && wants("downloads")) track("file_downloaded", { properties });
  else if (link.host !== location.host && wants("links")) track("outbound_link_clicked", { properties });
}

/** The attributes `data-hl-…` of an element, as properties; what a number would be written like is one. */
function propertiesIn(element) {
  const properties = {};
  for (const { name, value } of element.attributes) {
    const isNumber = isFinite(value) && `${+value}` === value;
    if (/^data-hl-(?!event$)/.test(name)) properties[name.slice(8).replace(/-/g, "_")] = isNumber ? +value : value;
  }
  return properties;
}
