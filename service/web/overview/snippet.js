// What sends events to this service: the line for a website, and a command. Both have the address that this browser sees.

export const UNKNOWN_KEY = "YOUR-WRITE-KEY";
const addressOf = (path) => new URL(path, location.href).href;
const inAttribute = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
const inQuotes = (text) => text.replaceAll("'", "'\\''");

// settings: what GET /api/analytics/client answers.
export function lineOf({ needs_write_key: needsKey, write_key: key }) {
  const attributes = needsKey ? ` data-write-key="${inAttribute(key ?? UNKNOWN_KEY)}"` : "";
  return `<script src="${addressOf("h.js")}"${attributes} data-auto defer></script>`;
}

export function commandOf({ needs_write_key: needsKey, write_key: key }) {
  const event = '{"event_type":"opened","session_id":"s-1","demo_mode":false,"timestamp":"\'$(date -u +%FT%TZ)\'"}';
  const header = needsKey ? ` -H 'x-write-key: ${inQuotes(key ?? UNKNOWN_KEY)}'` : "";
  return `curl ${addressOf("e")} -H 'content-type: application/json'${header} -d '${event}'`;
}
