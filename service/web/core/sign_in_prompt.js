// Asks for a key or the read token, and signs in with it. The page itself forgets it at once.

import { Gone, signIn } from "./api.js";
import { find, hide, write } from "./dom.js";

const UNAUTHORIZED = 401;

export function start(signedIn) {
  find("sign-in-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const key = find("sign-in-key").value.trim();
    find("sign-in-key").value = "";
    try {
      await signIn(key, new AbortController().signal);
      say("");
      signedIn();
    } catch (error) {
      say(wordsOf(error));
      find("sign-in-key").focus();
    }
  });
}

function wordsOf(error) {
  if (error instanceof Gone) return "The server does not answer. Try again in a moment.";
  if (error.status === UNAUTHORIZED) return `This key or token is wrong: ${error.message}.`;
  return `Could not sign in: ${error.message}.`;
}

function say(text) {
  write(find("sign-in-said"), text);
  hide(find("sign-in-said"), !text);
}

export function prompt() {
  const opened = find("sign-in-panel").hidden;
  hide(find("dashboard"), true);
  hide(find("sign-in-panel"), false);
  if (opened) find("sign-in-key").focus();
}

export const isOpen = () => !find("sign-in-panel").hidden;

export function close() {
  hide(find("sign-in-panel"), true);
  hide(find("dashboard"), false);
}
