"use strict";

// Event values are hostile: they reach the page as text nodes only.
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const TOKEN = "hourledger_read_token";

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

async function load() {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch("/api/analytics/rollups?hours=24", { headers });
  if (answer.status === 401) return askForToken(token);
  const body = await answer.json();
  if (!body.ok) throw new Error(body.error.message);
  show(body);
}

function askForToken(refused) {
  sessionStorage.removeItem(TOKEN);
  $("status").textContent = refused ? "That token is not the right one." : "Reading needs the read token.";
  $("numbers").hidden = true;
  $("token-form").hidden = false;
  $("token").focus();
}

function show(body) {
  $("token-form").hidden = true;
  $("numbers").hidden = body.count === 0;
  $("status").textContent = body.count === 0
    ? "No events in the last 24 hours."
    : `The last 24 hours, complete to position ${body.as_of.positions.join(", ")}.`;
  const totals = [["Events", body.total_events], ["Sessions", body.distinct_sessions]];
  $("totals").replaceChildren(...totals.map(([name, value]) => {
    const pair = document.createElement("div");
    pair.append(element("dt", name), element("dd", number.format(value)));
    return pair;
  }));
  $("hours").replaceChildren(...body.rollups.map(row));
}

function row(rollup) {
  const line = document.createElement("tr");
  const most = Object.entries(rollup.event_counts).slice(0, 3).map(([key, events]) => `${key} ${number.format(events)}`);
  for (const text of [
    rollup.hour.slice(0, 16).replace("T", " "),
    number.format(rollup.total_events),
    number.format(rollup.unique_sessions),
    most.join(", "),
  ]) line.append(element("td", text));
  return line;
}

function start() {
  load().catch((error) => { $("status").textContent = `The numbers cannot be read now: ${error.message}`; });
}

$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, $("token").value);
  $("token").value = "";
  start();
});
start();
setInterval(() => { if ($("token-form").hidden) start(); }, 10_000);
