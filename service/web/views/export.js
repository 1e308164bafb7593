// Export of what is shown: a link, or with a read token a file that the page reads and saves.

import { ask, bodyOf, token } from "../core/api.js";
import { element, find, hide, write } from "../core/dom.js";
import { Question } from "../core/request.js";
import { rangeOf, scopeOf } from "../core/state.js";
import { count, counted } from "../core/format.js";

const KINDS = [["events", "events"], ["rollups", "hourly rollups"]];
const FORMATS = [["csv", "CSV"], ["ndjson", "NDJSON"], ["parquet", "Parquet"]];
const MEGABYTE = 1_000_000;

export function open(place, page, close) {
  const of = select("What", KINDS);
  const format = select("Format", FORMATS);
  const link = element("a", [["class", "primary"]], "Download");
  const button = element("button", [["type", "button"], ["class", "primary"]], "Download");
  const leave = element("button", [["type", "button"], ["class", "plain"]], "Close");
  const note = element("p", [["class", "quiet"]]);
  const said = element("p", [["role", "status"], ["class", "said"], ["hidden", ""]]);
  const form = element("form", [["class", "condition"]], of, format, link, button, leave);
  const question = new Question(form, said, page);

  const path = () => {
    // Filters do not apply to rollups.
    const scope = of.value === "events" ? scopeOf(page.state()) : rangeOf(page.state());
    return `api/analytics/export?${new URLSearchParams([["of", of.value], ["format", format.value], ...scope])}`;
  };
  const refresh = () => {
    const hasToken = token() !== null;
    hide(link, hasToken);
    hide(button, !hasToken);
    link.href = path();
    link.download = `${of.value}.${format.value}`;
    const what = of.value === "events" ? "The events of the range, filters included." : "The hours of the range. Filters do not apply.";
    const where = hasToken && !globalThis.showSaveFilePicker
      ? " With a read token this browser holds the whole file in memory before it saves it: for gigabytes use curl." : "";
    write(note, what + where);
  };
  // The last hours are others than when the link was made.
  link.addEventListener("click", () => { link.href = path(); });
  button.addEventListener("click", () => question.ask((signal) => saved(path(), link.download, signal), (bytes) => {
    if (bytes !== null) write(find("announcement"), `Saved ${size(bytes)}.`);
  }));
  for (const choice of [of, format]) choice.addEventListener("change", refresh);
  form.addEventListener("submit", (event) => event.preventDefault());
  leave.addEventListener("click", close);
  place.append(element("h2", [["class", "unseen"]], "Export"), form, note, said);
  refresh();
  of.focus();
  return { refresh, leave: () => question.stop() };
}

const size = (bytes) => (bytes < MEGABYTE ? counted(bytes, "byte") : `${count(Math.round(bytes / MEGABYTE))} MB`);

function select(label, rows) {
  return element("select", [["aria-label", label]], ...rows.map(([value, text]) => element("option", [["value", value]], text)));
}

// Saves straight to disk if the browser can, else through memory. Returns the bytes, or null without a chosen place.
async function saved(path, name, signal) {
  const handle = await chosenPlace(name);
  if (handle === null) return null;
  const answer = await ask(path, signal);
  if (!answer.ok) return bodyOf(answer);
  if (!handle) return keep(await answer.blob(), name);
  let bytes = 0;
  const counted = new TransformStream({ transform(chunk, stream) { bytes += chunk.length; stream.enqueue(chunk); } });
  await answer.body.pipeThrough(counted).pipeTo(await handle.createWritable(), { signal });
  return bytes;
}

// A place to write to; undefined if the browser cannot offer one, null if the visitor chose none.
async function chosenPlace(name) {
  if (!globalThis.showSaveFilePicker) return undefined;
  try {
    return await showSaveFilePicker({ suggestedName: name });
  } catch (error) {
    if (error.name === "AbortError") return null;
    return undefined;
  }
}

function keep(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", [["href", address], ["download", name]]).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return blob.size;
}
