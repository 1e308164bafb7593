-- Drops the views with the given names in the schema bi, all of them or none. Rows: one, how many there were.
create or replace function drop_views(names text[])
returns integer
language plpgsql volatile
as $$
declare
    found_names constant text[] := array(
        select v.viewname::text from pg_views as v where v.schemaname = 'bi' and v.viewname = any (names)
    );
begin
    if cardinality(found_names) > 0 then
        -- No cascade, because it would also drop what a user built on the views.
        execute (select 'drop view ' || string_agg(format('bi.%I', n.name), ', ') from unnest(found_names) as n (name));
    end if;
    return cardinality(found_names);
end
$$;
