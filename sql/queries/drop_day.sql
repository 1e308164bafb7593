-- Drops the events of a day that is closed, folded and sealed.
-- $1 day, $2 clock or null
-- Rows: one (hindrance: why it was not dropped, null when it was).
select drop_day($1, $2) as hindrance
