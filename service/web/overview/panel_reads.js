// Asks for the rows of the panels, two at a time, because questions about properties read raw events.

import { Gone, Refused, get } from "../core/api.js";
import { scopeOf } from "../core/state.js";

const AT_ONCE = 2;
// As many as fit into a panel.
const ROWS = "8";
// A panel that counts properties of the same range is asked again after so long.
const FRESH_MS = 30_000;
const NOT_FOUND = 404;
// Begins the message of a server that does not know what to count by, or what a row counts.
const UNKNOWN = /^(by|metric)\b/;
const BUSY = 503;
export const TOO_OLD = "This server cannot count this yet. Update it.";
const answers = new Map();

const isPlain = (by) => !by.includes(".") && !by.endsWith("_page");

// The parameters of the question for a panel. A plain count of events is one that every server answers.
export function questionOf(state, { measure }, by, more = []) {
  return [...scopeOf(state), ["by", by], ...(measure === "events" ? [] : [["metric", measure]]), ...more];
}

export const valueOf = (row, measure) => row[measure] ?? row.events;

// wanted: [{kind, by}]. told(kind, by, answer or error) for each that has news. Returns the outcomes.
export async function readPanels(wanted, state, signal, told) {
  const queue = [...wanted];
  const outcomes = [];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) outcomes.push(await readOne(next, state, signal, told));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

async function readOne({ kind, by }, state, signal, told) {
  if (signal.aborted) return "aborted";
  const query = questionOf(state, kind, by, [["limit", ROWS]]);
  const asked = JSON.stringify(query);
  const before = answers.get(kind.id);
  const isFresh = before?.asked === asked && performance.now() - before.at < FRESH_MS;
  if (isFresh && !isPlain(by)) {
    told(kind, by, before.answer);
    return "ok";
  }
  try {
    const answer = await get("top", query, signal);
    if (signal.aborted) return "aborted";
    answers.set(kind.id, { asked, at: performance.now(), answer });
    told(kind, by, answer);
    return "ok";
  } catch (error) {
    return failed(error, { kind, by }, asked, signal, told);
  }
}

function failed(error, { kind, by }, asked, signal, told) {
  if (error.name === "AbortError" || signal.aborted) return "aborted";
  if (error instanceof Gone) return "gone";
  if (error.status === 401) return "signed-out";
  if (!(error instanceof Refused)) throw error;
  // Rows that are a little old are better than none while the service has no room.
  const before = answers.get(kind.id);
  if (error.status === BUSY && before?.asked === asked) {
    told(kind, by, before.answer);
    return "refused";
  }
  const cannot = !isPlain(by) && (error.status === NOT_FOUND || UNKNOWN.test(error.message));
  told(kind, by, cannot ? new Refused(error.status, error.code, TOO_OLD) : error);
  return cannot ? "ok" : "refused";
}
