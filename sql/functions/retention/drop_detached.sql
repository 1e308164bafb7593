-- Drops the rows of a day that was detached, for good.
-- proven: files of the archive that were just proven. When the archive keeps the day, they must hold all of it, because they
-- are the only copy from now on (R10).
-- Rows: one, why the rows were not dropped, null when they were: they are there no longer, or the day was brought back, or is
-- not to be dropped before a later time ('gone'), or the archive does not hold it.
create or replace function drop_detached(in_day date, moment timestamptz, proven text[])
returns text
language plpgsql volatile
set lock_timeout = '200ms'
as $$
begin
    perform from leaving_days as l
    where l.day = in_day and l.stage = 'detached' and l.until <= moment
    for update;
    if not found then
        return 'gone';
    end if;
    -- Until the files may go, too, undrop may need the rows.
    if exists (select from archived_days as a where a.day = in_day and a.stage = 'leaving' and a.until > moment) then
        return 'gone';
    end if;
    if exists (select from archived_days as a where a.day = in_day and a.stage = 'kept')
        and not is_archived(in_day, proven)
    then
        return 'not in the archive as it was appended: make undrop brings its rows back';
    end if;
    execute format('drop table %I', day_partition(in_day));
    delete from leaving_days as l where l.day = in_day;
    return null;
end
$$;
