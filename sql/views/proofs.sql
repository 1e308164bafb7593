create or replace view bi.proofs (hour, state, events, verified_at, sealed_at, site) as
select
    p.hour,
    case
        when p.hour + interval '1 hour' > now() then 'open'
        else (proof_states())[p.worst]
    end,
    p.events,
    p.verified_at,
    p.sealed_at,
    (select s.name from sites as s where s.site = p.site)
from (
    select
        s.hour,
        s.site,
        -- Worst first: an hour has its worst shard's state.
        min(array_position(
            proof_states(), case when s.current and s.state is not null then s.state else 'open' end
        )) filter (where s.events <> 0 or s.state is not null) as worst,
        sum(s.events)::bigint as events,
        min(s.verified_at) as verified_at,
        max(s.sealed_at) as sealed_at
    from bi_proofs() as s
    group by s.hour, s.site
) as p
where p.events <> 0 or p.worst <= cardinality(failed_states());

comment on view bi.proofs is 'The current proof of each hour and site that has events or that failed verification. Proofs are kept for ever, as seals are. Every query reads one row per hour, whatever its condition.';
comment on column bi.proofs.hour is 'Start of the hour (UTC).';
comment on column bi.proofs.state is 'open: the hour is not over, or has changed since it was last verified; verified: all is right; sealed: its events have left the log, after they were verified; drifted: the rollup differs from a recount; damaged: the events differ from what was appended; broken: a seal does not hold. An hour has its worst shard''s state.';
comment on column bi.proofs.events is 'Number of events of the hour, as recorded when they were stored.';
comment on column bi.proofs.verified_at is 'When the hour was last verified, null before the first time.';
comment on column bi.proofs.sealed_at is 'When the hour was sealed, null while its events are in the log.';
comment on column bi.proofs.site is 'Name of the site.';
