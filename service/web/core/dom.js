// Event values are hostile: they reach the page as text nodes only.

export const find = (id) => document.getElementById(id);

export function element(name, attributes = [], ...children) {
  const made = document.createElement(name);
  for (const [key, value] of attributes) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Write only a different text, so that the browser neither lays out nor announces the same one again.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function hide(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}
