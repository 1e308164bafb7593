// Reads the public endpoints. The read token lives in this tab's sessionStorage, never in an address.

const TOKEN = "hourledger_read_token";
let kept = null; // where sessionStorage is blocked

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function keepToken(token) {
  kept = token;
  try {
    if (token === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
  } catch { /* blocked: it is kept for this page */ }
}

export function token() {
  try {
    return sessionStorage.getItem(TOKEN) ?? kept;
  } catch {
    return kept;
  }
}

/** Ask for an answer; throws Refused with the service's reason, and TypeError when there is no answer. */
export async function ask(path, query, signal) {
  const address = `/api/analytics/${path}?${new URLSearchParams(query)}`;
  const answer = await fetch(address, { headers: headers(), signal, cache: "no-store" });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Refused(answer.status, said?.error?.message ?? `the service answers ${answer.status}`);
}

export const read = async (path, query, signal) => (await ask(path, query, signal)).json();

function headers() {
  const given = token();
  return given === null ? {} : { authorization: `Bearer ${given}` };
}
