-- Drops the tables that interrupted imports of history left: events on their way back from the archive, which still has
-- them. at_least: how old they are, as begin_restoring noted; null: all of them. An import that still needs one fails, and
-- can be run again. Rows: one, how many were dropped.
create or replace function drop_restored(at_least interval)
returns integer
language plpgsql volatile
set lock_timeout = '200ms'
as $$
declare
    dropped integer := 0;
    left_over text;
begin
    for left_over in
        select c.relname
        from pg_class as c
        join pg_class as e on e.oid = 'events'::regclass and e.relnamespace = c.relnamespace
        where c.relkind = 'r' and c.relname ~ '^restored_[0-9]{8}$'
            and (
                at_least is null
                or clock_timestamp() - at_least
                    >= substring(obj_description(c.oid, 'pg_class') from 'since ([0-9T:-]{19}Z)$')::timestamptz
            )
    loop
        execute format('drop table %I', left_over);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;
