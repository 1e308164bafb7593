// When to read: at once after a change of the state, otherwise at most every two seconds, and less often when reading takes
// long. Reads never overlap.

const BETWEEN_MS = 2_000;
// An open page keeps the server busy for at most this share of the time.
const SHARE = 1 / 2;

export class Rounds {
  constructor(read) {
    this.read = read;
    this.controller = null;
    this.timer = null;
    this.isWanted = false;
    this.nextAt = 0;
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.isWanted) this.soon(); });
  }

  // The state has changed, so the read under way is useless.
  async now() {
    clearTimeout(this.timer);
    this.timer = null;
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    this.isWanted = false;
    const beganAt = performance.now();
    await this.read(controller.signal);
    if (this.controller !== controller) return;
    this.nextAt = beganAt + Math.max(BETWEEN_MS, (performance.now() - beganAt) / SHARE);
    this.controller = null;
    if (this.isWanted) this.soon();
  }

  // There may be something newer.
  soon() {
    this.isWanted = true;
    if (document.hidden || this.controller || this.timer !== null) return;
    const wait = Math.max(0, this.nextAt - performance.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      if (!document.hidden) this.now();
    }, wait);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.isWanted = false;
    this.controller?.abort();
    this.controller = null;
  }
}
