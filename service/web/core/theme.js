// The reader's choice of colours, kept in this browser. It runs before the first paint, so that no other colours flash.

(() => {
  const NAME = "hourledger.theme";
  const CHOICES = ["light", "dark", "contrast"];
  const contrast = matchMedia("(prefers-contrast: more)");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // The choice on this page, which a browser may not keep.
  let chosen = null;

  function kept() {
    if (chosen !== null) return chosen;
    try {
      const found = localStorage.getItem(NAME);
      return CHOICES.includes(found) ? found : "";
    } catch { // a browser that keeps nothing
      return "";
    }
  }

  function apply() {
    const choice = kept();
    const { dataset } = document.documentElement;
    dataset.theme = choice === "contrast" ? "" : choice;
    dataset.contrast = choice === "contrast" || (!choice && contrast.matches) ? "more" : "";
    dispatchEvent(new Event("themechange"));
  }

  // choice: light, dark, contrast, or empty for what the browser prefers.
  function choose(choice) {
    chosen = choice;
    try {
      if (choice) localStorage.setItem(NAME, choice);
      else localStorage.removeItem(NAME);
    } catch { // it holds for this page alone
    }
    apply();
  }

  for (const preference of [contrast, dark]) preference.addEventListener("change", apply);
  globalThis.hourledgerTheme = { kept, choose };
  apply();
})();
