// One question of a part at a time: a newer one ends the one before it, and so does leaving.

import { Gone } from "./api.js";
import { hide, write } from "./elements.js";

export class Question {
  // part: is `stale` while it waits. said: where it is told what failed.
  constructor(part, said, needToken) {
    this.part = part;
    this.said = said;
    this.needToken = needToken;
    this.controller = null;
  }

  // read(signal) asks, draw(answer) shows. Returns whether it was answered.
  async ask(read, draw) {
    this.stop();
    const controller = new AbortController();
    this.controller = controller;
    this.part.classList.add("stale");
    try {
      const answer = await read(controller.signal);
      if (controller.signal.aborted) return false;
      draw(answer);
      hide(this.said, true);
      return true;
    } catch (error) {
      if (error.name === "AbortError" || controller.signal.aborted) return false;
      if (error.status === 401) this.needToken();
      else this.fail(error);
      return false;
    } finally {
      if (this.controller === controller) this.stop();
    }
  }

  fail(error) {
    write(this.said, wordsOf(error));
    hide(this.said, false);
  }

  stop() {
    this.controller?.abort();
    this.controller = null;
    this.part.classList.remove("stale");
  }
}

// The service's own way to say that there is no such path.
const UNKNOWN_PATH = 404;

function wordsOf(error) {
  if (error instanceof Gone) return "The server does not answer. Try again in a moment.";
  if (error.status === UNKNOWN_PATH) return "This server does not answer that yet; a newer one does.";
  return `Cannot be read now: ${error.message}`;
}
