// Asks the service. The read token lives as long as the tab, and is only ever sent in a header.

import { hear } from "./clock.js";
import { hearLoad } from "./connection_status.js";
import { parse } from "./exact_json.js";

const TOKEN = "hourledger_read_token";
const UNAUTHORIZED = 401;
// A server that takes longer counts as gone.
const LONGEST_MS = 30_000;
let kept = null;

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// The server cannot be reached at all.
export class Gone extends Error {}

export function token() {
  try {
    return sessionStorage.getItem(TOKEN) ?? kept;
  } catch {
    return kept;
  }
}

export function keepToken(given) {
  kept = given;
  try {
    if (given === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, given);
  } catch {
    // Storage is blocked: the token lasts until the visitor leaves the page.
  }
}

// path: relative to the page, which may stand under a prefix of a proxy. body: sent as JSON, when there is one.
export async function ask(path, signal, method = "GET", body = undefined) {
  const given = token();
  const headers = {
    ...(given ? { authorization: `Bearer ${given}` } : {}),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  try {
    return await fetch(path, { method, headers, signal, cache: "no-store", body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Gone("the server does not answer");
  }
}

export function get(path, parameters, signal) {
  const query = new URLSearchParams(parameters).toString();
  return answerOf(query ? `${path}?${query}` : path, signal);
}

export const send = (method, path, body, signal) => answerOf(path, signal, method, body);

async function answerOf(path, signal, ...sent) {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
  const given = token();
  try {
    const answer = await ask(`api/analytics/${path}`, inTime, ...sent);
    hear(answer);
    hearLoad(answer);
    return await bodyOf(answer);
  } catch (error) {
    // It was sent before the visitor gave the token that the page has now.
    if (error.status === UNAUTHORIZED && given !== token()) return answerOf(path, signal, ...sent);
    throw error;
  }
}

// The body of an answer. Throws Refused when the service refuses.
export async function bodyOf(answer) {
  let body;
  try {
    body = parse(await answer.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw answer.ok ? new Gone("the answer broke off") : new Refused(answer.status, "unreadable", `status ${answer.status}`);
  }
  if (body.ok) return body;
  throw new Refused(answer.status, body.error?.code ?? "unknown", body.error?.message ?? `status ${answer.status}`);
}
