// Sites, sign-ins, and the retention in force.

import { element } from "../core/dom.js";
import { counted, dayText, momentText } from "../core/format.js";
import { creation, field, panel, quiet, removal, table } from "./settings_parts.js";

const NAME = "[a-z0-9][a-z0-9._\\-]{0,63}";
const NAME_SAID = "Up to 64 of a-z, 0-9, dot, underscore and hyphen";

export function sitesPanel(page, changed) {
  const made = element("div");
  const name = field("Name", "name", ["required", ""], ["pattern", NAME], ["title", NAME_SAID], ["placeholder", "blog"]);
  const zone = field("Time zone", "time_zone", ["placeholder", "UTC"]);
  const origins = field("Origins of its pages", "origins", ["placeholder", "https://blog.example"]);
  const adding = creation("Add a site", [name.node, zone.node, origins.node], {
    page, changed, path: () => "settings/sites", shown: () => [],
    body: () => ({
      name: name.input.value, time_zone: zone.input.value || "UTC", origins: origins.input.value.split(/[\s,]+/).filter(Boolean),
    }),
  });
  const old = element("select", [["name", "old"]]);
  const to = field("New name", "to", ["required", ""], ["pattern", NAME], ["title", NAME_SAID]);
  const renaming = creation("Rename", [element("label", [], element("span", [], "Site"), old), to.node], {
    page, changed, method: "PUT", path: () => `settings/sites/${old.value}`, body: () => ({ name: to.input.value }), shown: () => [],
  });
  return {
    node: panel("Sites", made, adding, renaming),
    show({ sites, everywhere }) {
      adding.hidden = renaming.hidden = !everywhere;
      old.replaceChildren(...sites.map((site) => element("option", [], site.name)));
      made.replaceChildren(table("Sites", ["Name", "Time zone", "Origins", "Since"], sites.map((site) => [
        site.name, site.time_zone, site.origins.join(" ") || "–", `${dayText(site.created_at)}${site.retired_at ? `, retired ${dayText(site.retired_at)}` : ""}`,
      ]), ""));
    },
  };
}

export function signInsPanel(page, changed) {
  const made = element("div");
  return {
    node: panel("Sign-ins", made),
    show({ sign_ins: signIns }) {
      made.replaceChildren(table("Sign-ins", ["Sign-in", "Key", "Kind", "Since", "Until", ""], signIns.map((each) => [
        element("code", [], each.prefix), each.key ? element("code", [], each.key) : "the read token",
        each.kind ?? "read", momentText(each.created_at), dayText(each.expires_at),
        each.current ? "this browser" : removal("End", `sign-in ${each.prefix}`, `settings/sign-ins/${each.prefix}`, page, changed),
      ]), "Nobody is signed in."));
    },
  };
}

export function retentionPanel() {
  const facts = element("dl", [["class", "facts"]]);
  return {
    node: panel("Retention in force", facts, quiet("The environment of the service sets these: HOURLEDGER_EVENT_RETENTION_DAYS and others.")),
    show({ retention }) {
      const rows = [["Raw events", retention.event_days], ["Of these as rows", retention.log_days], ["Numbers", retention.rollup_days],
        ["Grace before days are dropped", retention.grace_days]];
      facts.replaceChildren(...rows.map(([what, days]) =>
        element("div", [], element("dt", [], what), element("dd", [], days === null ? "not set yet" : counted(days, "day")))));
    },
  };
}
