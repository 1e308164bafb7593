// What this browser keeps for the reader: choices of panels and numbers, never data. Without storage they hold for the page.

const held = new Map();

// name: of what is kept. Returns what was kept, else `otherwise`.
export function kept(name, otherwise) {
  if (held.has(name)) return held.get(name);
  try {
    const text = localStorage.getItem(`hourledger.${name}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

// value: null to forget it.
export function keep(name, value) {
  if (value === null) held.delete(name);
  else held.set(name, value);
  try {
    if (value === null) localStorage.removeItem(`hourledger.${name}`);
    else localStorage.setItem(`hourledger.${name}`, JSON.stringify(value));
  } catch {
    // It is held until the page is left.
  }
}
