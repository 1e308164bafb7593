// Server-sent events by fetch, which tells a refusal from a lost connection. While there is no stream it polls.

import { ask } from "./api.js";

const POLL_MS = 10_000;
const MOST_WAIT_MS = 10_000;
// The service sends something at least every 15 s.
const SILENCE_MS = 40_000;

// The messages in a stream's text: fields of one event, without comments.
function* messages(text) {
  for (const block of text.split("\n\n")) {
    const message = { event: "message", data: [] };
    for (const line of block.split("\n")) {
      const [, name, value] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
      if (name === "event") message.event = value;
      if (name === "data") message.data.push(value);
    }
    if (message.data.length) yield { event: message.event, data: message.data.join("\n") };
  }
}

export class Live {
  // Calls told() when there may be new events, and said() with the state: live, polling or away.
  constructor(told, said) {
    this.told = told;
    this.said = said;
    this.running = null;
    this.connected = false;
    this.waitMs = 500;
  }

  start() {
    this.stop();
    this.connected = false;
    this.waitMs = 500;
    this.running = new AbortController();
    this.follow(this.running.signal);
  }

  stop() {
    this.running?.abort();
    this.running = null;
  }

  async follow(signal) {
    const poll = setInterval(() => { if (!this.connected) this.told(); }, POLL_MS);
    signal.addEventListener("abort", () => clearInterval(poll));
    while (!signal.aborted) {
      try {
        await this.stream(signal);
      } catch {
        // Refused or interrupted: try again.
      }
      if (signal.aborted) return;
      if (this.connected) this.told();
      this.connected = false;
      if (!signal.aborted) this.said("polling");
      await new Promise((done) => setTimeout(done, this.waitMs * (0.75 + Math.random() / 2)));
      this.waitMs = Math.min(this.waitMs * 2, MOST_WAIT_MS);
    }
  }

  async stream(signal) {
    const answer = await ask("api/analytics/live", signal);
    if (!answer.ok) {
      await answer.body?.cancel();
      return;
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const silent = setTimeout(() => reader.cancel(), SILENCE_MS);
      const { value, done } = await reader.read();
      clearTimeout(silent);
      if (done) return;
      rest += value.replaceAll("\r", "");
      const end = rest.lastIndexOf("\n\n");
      if (end < 0) continue;
      for (const message of messages(rest.slice(0, end))) this.heard(message.event);
      rest = rest.slice(end + 2);
    }
  }

  heard(event) {
    this.connected = true;
    this.waitMs = 500;
    this.said(event === "away" ? "away" : "live");
    if (event === "update") this.told();
  }
}
