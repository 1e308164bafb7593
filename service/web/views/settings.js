// The settings: sites, keys, share links, sign-ins and the retention in force. Only an admin key sees and changes them.

import { get, send } from "../core/api.js";
import { element, hide, write } from "../core/dom.js";
import { Question } from "../core/request.js";
import { UNKNOWN_KEY, lineOf } from "../overview/snippet.js";
import { keysPanel } from "./settings_keys.js";
import { linksPanel } from "./settings_links.js";
import { copied, panel, quiet } from "./settings_parts.js";
import { retentionPanel, signInsPanel, sitesPanel } from "./settings_rest.js";

// What stands in place of a key.
const READ_TOKEN = "HOURLEDGER_READ_TOKEN";
const USER_HEADER = "HOURLEDGER_TRUSTED_USER_HEADER";
const FIRST_KEY = "python -m service keys create --kind admin --all-sites";

export function open(place, page) {
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const top = element("div", [["class", "settings"]]);
  const changed = () => view.show();
  const parts = [keysPanel, linksPanel, sitesPanel, signInsPanel, retentionPanel].map((part) => part(page, changed));
  const rest = element("div", [["class", "settings"], ["hidden", ""]], ...parts.map(({ node }) => node));
  place.append(said, top, rest);
  const reading = new Question(top, said, page);
  const view = {
    show() {
      reading.ask(read, ([access, client, settings]) => {
        page.answered();
        top.replaceChildren(whoPanel(access, page), snippetPanel(client, access));
        hide(rest, settings === null);
        if (settings) for (const part of parts) part.show(settings, client);
      });
    },
    leave: () => reading.stop(),
    again: () => view.show(),
  };
  return view;
}

async function read(signal) {
  const [access, client] = await Promise.all([get("access", [], signal), get("client", [], signal)]);
  return [access, client, access.may_change_settings ? await get("settings", [], signal) : null];
}

function whoPanel(access, page) {
  if (access.kind === null) return panel("Who may change settings",
    element("p", [], "Nobody yet. This service is open: everyone who reaches it may read. To change settings here, create an admin"
      + " key on the machine that runs the service:"), copied(FIRST_KEY),
    quiet("From then on reading needs a key, too. Sending events does not, until there is a key of the kind write or server."),
    signInButton(page, "Sign in with the new key"));
  const where = access.everywhere && access.key !== READ_TOKEN ? "all sites" : `the site ${access.site}`;
  const by = access.key === USER_HEADER ? ["A proxy has signed you in. You may read "]
    : [access.signed_in ? "You are signed in with " : "You came with ",
      ...(access.key === READ_TOKEN ? ["the read token of "] : [`the ${access.kind} key `, element("code", [], access.key), " of "])];
  const buttons = element("div", [["class", "buttons"]]);
  if (!access.may_change_settings) buttons.append(signInButton(page, "Sign in with an admin key"));
  if (access.signed_in) buttons.append(signOutButton());
  const more = access.may_change_settings ? [] : [
    quiet("To see and change sites, keys, links and sign-ins, sign in with an admin key. This command makes one:"), copied(FIRST_KEY)];
  return panel("You", element("p", [], ...by, `${where}.`), ...more, buttons);
}

function signInButton(page, text) {
  const button = element("button", [["type", "button"], ["class", "primary"]], text);
  button.addEventListener("click", () => page.needSignIn());
  return element("p", [], button);
}

function signOutButton() {
  const button = element("button", [["type", "button"], ["class", "plain"]], "Sign out");
  button.addEventListener("click", async () => {
    try {
      await send("POST", "sign-out", undefined, new AbortController().signal);
      location.reload();
    } catch (error) {
      write(button, `Could not sign out: ${error.message}. Try again`);
    }
  });
  return element("p", [], button);
}

function snippetPanel(client, access) {
  const note = !client.needs_write_key || client.write_key !== null ? []
    : [quiet(`Replace ${UNKNOWN_KEY} by a key of the kind write of this site. The service shows a key once, when it is created.`)];
  return panel(`Count the site ${access.site}`, element("p", [], "Paste this line into the head of its pages:"), copied(lineOf(client)), ...note);
}
