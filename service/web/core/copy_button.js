// A button that copies the text of a node. named: its name says which text, for one among many short ones.

import { element, write } from "./dom.js";

export function copyButton(source, { named = false } = {}) {
  const button = element("button", [["type", "button"], ["class", "plain"]]);
  const say = (word) => {
    write(button, word);
    if (named) button.ariaLabel = `${word}: ${source.textContent}`;
  };
  say("Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      say("Copied");
    } catch { // a page without TLS has no clipboard
      getSelection().selectAllChildren(source);
    }
  });
  return button;
}
