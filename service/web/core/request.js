// One question of a part at a time. A newer question ends it, and so does leaving the view.

import { Gone, Refused } from "./api.js";
import { hide, write } from "./dom.js";

const MALFORMED = 400;
const NOT_FOUND = 404;
const NOT_YET = "This server is too old to answer that. Update it.";

export class Question {
  // part: the node that is `stale` while it waits. said: the node that says what failed, beginning with `failed`.
  // page: hears that somebody must sign in, and that the server may be gone. missing: what a 404 means.
  constructor(part, said, page, { missing = NOT_YET, failed = "Could not load" } = {}) {
    this.part = part;
    this.said = said;
    this.page = page;
    this.missing = missing;
    this.failed = failed;
    this.controller = null;
    this.asked = null;
  }

  // As `ask`, unless `what` was also the last question. `clear` removes an old answer when the new one fails.
  async askOnce(what, read, draw, clear) {
    const now = JSON.stringify(what);
    if (now === this.asked) return;
    this.asked = now;
    if (await this.ask(read, draw)) return;
    if (this.asked === now) this.asked = null;
    if (!this.said.hidden) clear();
  }

  // Ends the question under way. The same one may be asked again.
  forget() {
    this.stop();
    this.asked = null;
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
      if (error.status === 401) this.page.needSignIn();
      else this.fail(error);
      if (error instanceof Gone) this.page.doubt();
      // Neither the server nor the network: the page or the disk is at fault.
      if (!(error instanceof Refused || error instanceof Gone)) reportError(error);
      return false;
    } finally {
      if (this.controller === controller) this.stop();
    }
  }

  fail(error) {
    write(this.said, wordsOf(error, this));
    hide(this.said, false);
  }

  stop() {
    this.controller?.abort();
    this.controller = null;
    this.part.classList.remove("stale");
  }
}

function wordsOf(error, { missing, failed }) {
  if (error instanceof Gone) return "The server does not answer. Try again in a moment.";
  if (error.status === NOT_FOUND) return missing;
  if (error.status === MALFORMED) return `The server rejected this: ${error.message}`;
  return `${failed}: ${error.message}`;
}
