// A table as a CSV file that the browser saves.

// Spreadsheets take a text that begins like this for a formula.
const LIKE_A_FORMULA = /^[=+\-@\t\r]/;

// Tells Excel that the file is UTF-8.
const MARK = "\ufeff";
// Safari reads the text after the click.
const KEPT_MS = 60_000;

function cellOf(value) {
  const text = typeof value === "string" && LIKE_A_FORMULA.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// heads: the first row. rows: lists of texts and numbers. Returns the text of RFC 4180.
export const csvOf = (heads, rows) => [heads, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");

export function save(name, text) {
  const address = URL.createObjectURL(new Blob([MARK, text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
