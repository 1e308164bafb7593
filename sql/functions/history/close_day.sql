-- Closes a day that is closing: its rows leave the log as those of any day do, see detach_day. With null for `proven` only
-- the rollups stay once the grace is over.
-- Rows: one, as those of detach_day.
create or replace function close_day(in_day date, until_then timestamptz, clock timestamptz, proven text[])
returns table (hindrance text, failed boolean)
language plpgsql volatile
as $$
declare
    opened opened_days;
begin
    perform from checkpoints as c where c.stage <> 'filling' order by c.shard, c.projection, c.version for update;
    delete from opened_days as o where o.day = in_day and o.stage = 'closing' returning o.* into opened;
    if not found then
        return query select 'not closing', false;
        return;
    end if;
    select d.hindrance, d.failed into hindrance, failed from detach_day(in_day, until_then, clock, proven) as d;
    if hindrance is not null then
        insert into opened_days select opened.*;
    end if;
    return next;
end
$$;
