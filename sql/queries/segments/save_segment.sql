-- Saves a segment of a site, and replaces one of the same name.
-- $1 site, $2 name, $3 filters (a JSON object), $4 how many segments the site may have
-- Rows: one (name, filters as JSON text, created_at, updated_at), none when there would be more than $4.
insert into segments as s (site, name, filters)
select $1, $2, $3::jsonb
where (select count(*) from segments where site = $1 and name <> $2) < $4
on conflict (site, name) do update set filters = excluded.filters, updated_at = clock_timestamp()
returning s.name, s.filters::text as filters, s.created_at, s.updated_at
