-- Locks the partition of an hour's day, so that it is not dropped before the transaction ends; false when there is
-- none.
-- Call it before the statement that reads the hour, so that its snapshot is younger than the lock (R6).
create or replace function hold_day(in_hour timestamptz)
returns boolean
language plpgsql volatile
as $$
begin
    execute format('lock table %I in access share mode', day_partition((in_hour at time zone 'UTC')::date));
    return true;
exception
    when undefined_table then
        return false;
end
$$;
