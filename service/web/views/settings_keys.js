// Keys: who may send and who may read. A new key is shown once.

import { element } from "../core/dom.js";
import { dayText } from "../core/format.js";
import { lineOf } from "../overview/snippet.js";
import { copied, creation, endOfDay, field, panel, removal, table } from "./settings_parts.js";

const KINDS = [["write", "write: events of pages, public"], ["server", "server: all events"], ["read", "read: numbers"],
  ["admin", "admin: everything"]];

export function keysPanel(page, changed) {
  const kind = element("select", [["name", "kind"]], ...KINDS.map(([value, text]) => element("option", [["value", value]], text)));
  const everywhere = field("For all sites", "all_sites", ["type", "checkbox"]);
  const label = field("Label", "label", ["placeholder", "what you call it"], ["maxlength", "128"]);
  const expires = field("Expires on", "expires", ["type", "date"]);
  const made = element("div");
  const fields = [element("label", [], element("span", [], "Kind"), kind), label.node, expires.node, everywhere.node];
  const form = creation("Create a key", fields, {
    page, changed, path: () => "settings/keys",
    body: () => ({
      kind: kind.value, label: label.input.value, all_sites: everywhere.input.checked,
      ...(expires.input.value ? { expires_at: endOfDay(expires.input.value) } : {}),
    }),
    shown: ({ key }) => [element("p", [], element("strong", [], "The new key. Copy it now: nothing can show it again.")), copied(key),
      ...(kind.value === "write" ? [element("p", [], "The line for pages with it:"), copied(lineOf({ needs_write_key: true, write_key: key }))] : [])],
  });
  return {
    node: panel("Keys", made, form),
    show({ keys, everywhere: all }) {
      everywhere.node.hidden = !all;
      made.replaceChildren(table("Keys", ["Key", "Kind", "Site", "Label", "Created", "Last used", "Until", ""], keys.map((key) => [
        element("code", [], key.prefix), key.kind, key.site ?? "all sites", element("bdi", [], key.label || "–"), dayText(key.created_at),
        key.last_used_at ? dayText(key.last_used_at) : "never", standing(key),
        key.revoked_at ? "" : removal("Revoke", `key ${key.prefix}`, `settings/keys/${key.prefix}`, page, changed),
      ]), "There are no keys."));
    },
  };
}

function standing({ revoked_at: revoked, expires_at: expires }) {
  if (revoked) return `revoked ${dayText(revoked)}`;
  if (!expires) return "without end";
  return Date.parse(expires) > Date.now() ? dayText(expires) : `expired ${dayText(expires)}`;
}
