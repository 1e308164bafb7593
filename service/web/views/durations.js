// Lengths of time as people read them.

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

// Two units at most, such as `2 h 5 min`; below a second, milliseconds.
export function durationText(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  const whole = Math.round(seconds);
  const place = UNITS.findIndex(([, length]) => whole >= length);
  if (place < 0) return "0 s";
  const [name, length] = UNITS[place];
  const first = `${Math.floor(whole / length)} ${name}`;
  const next = UNITS[place + 1];
  const rest = next ? Math.floor((whole % length) / next[1]) : 0;
  return rest ? `${first} ${rest} ${next[0]}` : first;
}
