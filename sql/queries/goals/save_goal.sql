-- Saves a goal of a site, and replaces one of the same name.
-- $1 site, $2 name, $3 definition (a JSON object), $4 how many goals the site may have
-- Rows: one (name, definition as JSON text, created_at, updated_at), none when there would be more than $4.
insert into goals as g (site, name, definition)
select $1, $2, $3::jsonb
where (select count(*) from goals where site = $1 and name <> $2) < $4
on conflict (site, name) do update set definition = excluded.definition, updated_at = clock_timestamp()
returning g.name, g.definition::text as definition, g.created_at, g.updated_at
