-- Mends what the rows of an hour without events can tell: its edges and its document.
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
