// Asks for the read token.

import { keepToken } from "./api.js";
import { find, hide, write } from "./dom.js";

export function start(given) {
  find("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = find("token").value.trim();
    find("token").value = "";
    // A header takes only these characters, and so does a token of the service.
    if (!/^[!-~]+$/.test(token)) return prompt(true);
    keepToken(token);
    given();
  });
}

export function prompt(wasRefused) {
  keepToken(null);
  if (wasRefused) {
    write(find("token-said"), "This token is wrong.");
    find("token-said").classList.add("wrong");
  }
  const opened = find("token-panel").hidden;
  hide(find("dashboard"), true);
  hide(find("token-panel"), false);
  if (opened || wasRefused) find("token").focus();
}

export const isOpen = () => !find("token-panel").hidden;

export function close() {
  hide(find("token-panel"), true);
  hide(find("dashboard"), false);
}
