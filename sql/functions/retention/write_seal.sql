-- Adds a seal of an hour to its shard's chain, as the hour is now. The caller holds the checkpoints' locks, has verified the
-- hour, and knows that every version has folded it.
create or replace function write_seal(
    in_shard integer, in_version integer, in_hour timestamptz, code_version text, clock timestamptz
)
returns void
language plpgsql volatile
as $$
declare
    seal hour_seals;
begin
    select l.sequence, l.previous_hash into seal.sequence, seal.previous_hash from next_link(in_shard) as l;
    seal.shard := in_shard;
    seal.hour := in_hour;
    select r.document into seal.document from hourly_rollup(in_shard, in_version, in_hour) as r;
    select a.events, a.position_sum, a.digest_high, a.digest_low
    into seal.events, seal.position_sum, seal.digest_high, seal.digest_low
    from appended(in_shard, in_hour) as a;
    select d.rows_high, d.rows_low into seal.rows_high, seal.rows_low
    from hourly_rows_digest(in_shard, in_version, in_hour) as d;
    seal.code_version := code_version;
    seal.sealed_at := coalesce(clock, clock_timestamp());
    seal.hash := seal_hash(seal);
    insert into hour_seals select seal.*;
    -- Once the events are gone, nothing can mend a wrong version, and a rollback may make it live again.
    perform rebuild_hourly(in_shard, c.version, in_hour, in_version)
    from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version <> in_version and c.stage <> 'filling';
end
$$;
