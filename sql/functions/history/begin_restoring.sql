-- Makes an empty table for the events of a day that come back from the archive, instead of any that a former try left.
create or replace function begin_restoring(in_day date)
returns void
language plpgsql volatile
as $$
declare
    restored constant text := restored_table(in_day);
begin
    execute format('drop table if exists %I', restored);
    execute format('create table %I (like events including all)', restored);
    -- PostgreSQL does not know how old a table is, and retention drops it when it is old.
    execute format(
        'comment on table %I is %L', restored,
        'Events on their way back from the archive, since '
            || to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    );
    -- With this constraint the rows are read before, and not while the log is locked.
    execute format(
        'alter table %I add constraint "the events are of the day" check (timestamp >= %L and timestamp < %L)',
        restored, in_day::timestamp at time zone 'UTC', (in_day + 1)::timestamp at time zone 'UTC'
    );
end
$$;
