-- Drops the events of a day that was detached, for good. Rows: one, false when they are there no longer, or the day was
-- brought back, or is not to be dropped before a later time.
create or replace function drop_detached(in_day date, moment timestamptz)
returns boolean
language plpgsql volatile
set lock_timeout = '200ms'
as $$
begin
    perform from leaving_days as l
    where l.day = in_day and l.stage = 'detached' and l.until <= moment
    for update;
    if not found then
        return false;
    end if;
    execute format('drop table %I', day_partition(in_day));
    delete from leaving_days as l where l.day = in_day;
    return true;
end
$$;
