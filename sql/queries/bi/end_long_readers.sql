-- Ends the sessions that read the schema bi for too long; see functions/bi/end_long_readers.sql.
-- $1 the longest that a transaction of theirs may last
-- Rows: one per session that was ended, or that we may not see into (login, pid, lasted, ended).
select e.login, e.pid, e.lasted, e.ended from end_long_readers($1) as e
