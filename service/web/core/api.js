// Asks the service. The browser adds the cookie of a sign-in by itself, and no script can read it.

import { hear } from "./clock.js";
import { hearLoad } from "./connection_status.js";
import { parse } from "./exact_json.js";

const UNAUTHORIZED = 401;
// A server that takes longer counts as gone.
const LONGEST_MS = 30_000;
// How often somebody has signed in on this page.
let signIns = 0;
// The secret of a share link, on its page.
let link = null;
// The site to ask about; "" for that of the key, or the default one.
let site = "";

export class Refused extends Error {
  // field: the parameter or the part of the body that is at fault, if the service names one.
  constructor(status, code, message, field = "") {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

// The server cannot be reached at all.
export class Gone extends Error {}

// Asks with a share link from now on. Its page may be embedded, where browsers send no cookie.
export function useLink(secret) {
  link = secret;
}

export function useSite(name) {
  site = name;
}

// A path and the site to ask about.
export const withSite = (path) => (site ? `${path}${path.includes("?") ? "&" : "?"}site=${encodeURIComponent(site)}` : path);

// Gives a key or the read token for a cookie.
export async function signIn(key, signal) {
  await send("POST", "sign-in", { key }, signal);
  signIns += 1;
}

// path: relative to the page, which may stand under a prefix of a proxy. body: sent as JSON, when there is one.
export async function ask(path, signal, method = "GET", body = undefined) {
  const headers = {
    ...(link ? { authorization: `Bearer ${link}` } : {}),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  try {
    return await fetch(withSite(path), { method, headers, signal, cache: "no-store", body: body && JSON.stringify(body) });
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
  const before = signIns;
  try {
    const answer = await ask(`api/analytics/${path}`, inTime, ...sent);
    hear(answer);
    hearLoad(answer);
    return await bodyOf(answer);
  } catch (error) {
    // It was sent before the reader signed in.
    if (error.status === UNAUTHORIZED && before !== signIns) return answerOf(path, signal, ...sent);
    throw error;
  }
}

// The body of an answer. Throws Refused when the service refuses.
async function bodyOf(answer) {
  let body;
  try {
    body = parse(await answer.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw answer.ok ? new Gone("the answer broke off") : new Refused(answer.status, "unreadable", `status ${answer.status}`);
  }
  if (body.ok) return body;
  throw new Refused(answer.status, body.error?.code ?? "unknown", body.error?.message ?? `status ${answer.status}`, body.error?.field);
}
