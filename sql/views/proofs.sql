create or replace view bi.proofs (hour, state, events, verified_at, sealed_at) as
select
    p.hour,
    case
        when p.hour + interval '1 hour' > now() then 'open'
        else (proof_states())[p.worst]
    end,
    p.events,
    p.verified_at,
    p.sealed_at
from (
    select
        s.hour,
        -- Worst first: an hour has its worst shard's state.
        min(array_position(
            proof_states(), case when s.current and s.state is not null then s.state else 'open' end
        )) filter (where s.events <> 0 or s.state is not null) as worst,
        sum(s.events)::bigint as events,
        min(s.verified_at) as verified_at,
        max(s.sealed_at) as sealed_at
    from bi_proofs() as s
    group by s.hour
) as p
where p.events <> 0 or p.worst <= 3;

comment on view bi.proofs is 'The proof of each hour that has events, or failed to be proven, as of now; for as long as seals are kept, which is for ever. One row per hour is read whatever the condition.';
comment on column bi.proofs.hour is 'Start of the hour (UTC).';
comment on column bi.proofs.state is 'open: not over, or touched since it was last verified; verified; sealed: events gone, proven before; drifted: rollup is not the recount; damaged: events are not what was appended; broken: a seal does not hold. Of shards, the worst.';
comment on column bi.proofs.events is 'Events of the hour, by what witnessed their being stored.';
comment on column bi.proofs.verified_at is 'When it was last verified, null before the first time.';
comment on column bi.proofs.sealed_at is 'When it was sealed, null while its events are kept.';
