-- Drops the events of a detached day for good.
-- $1 day, $2 moment
-- Rows: one (dropped: false when another pass was faster, or it is too early).
select drop_detached($1, $2) as dropped
