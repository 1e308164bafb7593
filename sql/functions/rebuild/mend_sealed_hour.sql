-- Mends an hour whose events are gone, as far as its rows allow: its edges are recounted, and a wrong document is
-- deleted.
-- Rows: one, the number of edges written.
create or replace function mend_sealed_hour(in_shard integer, in_version integer, in_hour timestamptz)
returns bigint
language plpgsql volatile
as $$
begin
    perform from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version
    for update;
    return rebuild_hourly_derived(in_shard, in_version, in_hour, '{}');
end
$$;
