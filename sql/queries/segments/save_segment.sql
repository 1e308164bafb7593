-- Saves a segment, and replaces one of the same name.
-- $1 name, $2 filters (a JSON object), $3 how many segments there may be
-- Rows: one (name, filters as JSON text, created_at, updated_at), none when there would be more than $3.
insert into segments as s (name, filters)
select $1, $2::jsonb
where (select count(*) from segments where name <> $1) < $3
on conflict (name) do update set filters = excluded.filters, updated_at = clock_timestamp()
returning s.name, s.filters::text as filters, s.created_at, s.updated_at
