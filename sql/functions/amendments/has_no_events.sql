-- Whether the events of a shard's day are gone for good: neither the log nor the archive has them, nor a table of a day that
-- can be brought back.
create or replace function has_no_events(in_shard integer, in_day date)
returns boolean
language sql stable
as $$
    select exists (select from retired_days as r where r.shard = $1 and r.day = $2)
        and not exists (select from archived_days as a where a.day = $2)
        and not exists (select from leaving_days as l where l.day = $2 and l.stage = 'detached')
$$;
