-- Takes a reading of the clocks.
-- $1 start of the machine, $2 seconds since then, $3 clock of this process or null, $4 the database's clock or null for
-- its own, $5 whether to accept the clocks as they are
-- Rows: one (moment: the time by which the horizon may move).
select advance_clock($1, $2, $3, $4, $5) as moment
