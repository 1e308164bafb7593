// A button that copies the text of a node.

import { element, write } from "./dom.js";

export function copyButton(source, attributes = []) {
  const button = element("button", [["type", "button"], ["class", "plain"], ...attributes], "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      write(button, "Copied");
    } catch { // a page without TLS has no clipboard
      getSelection().selectAllChildren(source);
    }
  });
  return button;
}
