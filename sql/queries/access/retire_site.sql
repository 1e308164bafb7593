-- Retires a site: it takes no events any more. What it has stays until retention takes it.
-- $1 name
-- Rows: one (site, retired_at: the first time that it was retired), none when there is no site of the name.
update sites set retired_at = coalesce(retired_at, clock_timestamp())
where name = $1
returning site, retired_at
