-- Keeps every day that is leaving the log or the archive, or was brought back, until a time at least.
-- $1 time
-- Rows: none.
with archived as (
    update archived_days set until = $1 where until < $1 and until > '-infinity'
)
update leaving_days set until = $1 where until < $1
