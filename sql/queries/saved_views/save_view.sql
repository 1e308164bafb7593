-- Saves a view of a site, and replaces one of the same name.
-- $1 site, $2 name, $3 search, $4 how many views the site may have
-- Rows: one (name, search, created_at, updated_at), none when there would be more than $4.
insert into saved_views as v (site, name, search)
select $1, $2, $3
where (select count(*) from saved_views where site = $1 and name <> $2) < $4
on conflict (site, name) do update set search = excluded.search, updated_at = clock_timestamp()
returning v.name, v.search, v.created_at, v.updated_at
