// Tells when there is something new: by server-sent events, or by the clock where there are none.

import { ask, Refused } from "./api.js";

const POLL = 10_000;
const LONGEST = 15_000;

/** Call `moved` whenever the log has moved, and `said` with how that is known: live, polling or waiting. */
export function follow(moved, said) {
  let ended = new AbortController();
  let failures = 0;

  async function run(signal) {
    while (!signal.aborted) {
      try {
        await stream(signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        said(error instanceof Refused ? "polling" : "waiting");
      }
      const pause = failures ? Math.min(500 * 2 ** failures, LONGEST) * (0.5 + Math.random() / 2) : 0;
      await rest(pause, signal);
    }
  }

  async function stream(signal) {
    const answer = await ask("live", {}, signal);
    failures = 0;
    said("live");
    moved();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ;) {
      const { value, done } = await reader.read();
      if (done) throw new TypeError("the stream ended");
      text += value.replaceAll("\r", "");
      const messages = text.split("\n\n");
      text = messages.pop();
      if (messages.some((message) => /^event: update$/m.test(message))) moved();
    }
  }

  function start() {
    ended.abort();
    ended = new AbortController();
    failures = 0;
    run(ended.signal);
  }

  // Nobody looks at a hidden tab: it holds no stream, and reads anew when it is shown.
  document.addEventListener("visibilitychange", () => (document.hidden ? ended.abort() : start()));
  setInterval(() => { if (failures && !document.hidden) moved(); }, POLL);
  start();
  return start;
}

function rest(pause, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pause);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
