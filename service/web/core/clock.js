// The server's time. A machine whose clock is wrong would ask for other quarters of an hour than the last ones.

// Answers name whole seconds and travel for a while.
const TOLERATED_MS = 2_000;
let ahead = 0;

export const now = () => Date.now() + ahead;

// Learn from the header of an answer.
export function hear(answer) {
  const said = Date.parse(answer.headers.get("date") ?? "") - Date.now();
  if (!Number.isNaN(said)) ahead = Math.abs(said) > TOLERATED_MS ? said : 0;
}
