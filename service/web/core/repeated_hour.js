// Where clocks go back, an hour comes twice. Its times also name their zone or offset, such as 1:00 AM EST.

const MINUTE = 60_000;
// Longer than any clock goes back.
const AROUND = 180 * MINUTE;
const zoned = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" });

const offset = (time) => new Date(time).getTimezoneOffset();

function comesTwice(time) {
  const back = (offset(time + AROUND) - offset(time - AROUND)) * MINUTE;
  return back > 0 && (offset(time) !== offset(time - back) || offset(time) !== offset(time + back));
}

const zoneOf = (date) => zoned.formatToParts(date).find(({ type }) => type === "timeZoneName").value;

// A time in a format that names the hour.
export function timeIn(format, date) {
  const text = format.format(date);
  return comesTwice(date.getTime()) ? `${text} ${zoneOf(date)}` : text;
}
