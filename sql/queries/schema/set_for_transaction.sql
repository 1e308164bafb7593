-- Sets some of PostgreSQL's settings until the transaction ends.
-- $1 names, $2 values
-- Rows: one per setting (value).
select set_config(setting.name, setting.value, true) as value
from unnest($1::text[], $2::text[]) as setting (name, value)
