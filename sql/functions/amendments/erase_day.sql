-- Erases what a shard's day has of a person, or puts a stranger there, in one transaction: the rows, their part in the witnesses and in the rollups of
-- every version, and the archive's files that hold their hours. An amendment says so, and hours that were sealed get another
-- seal behind it. The caller has verified the hours, and has laid down the tombstones.
-- upto: the position up to which there are tombstones.
-- Rows: one:
--   hindrance: why nothing was erased, null when all was
--   events: how many were
--   hours: those that changed
create or replace function erase_day(
    in_erasure bigint,
    in_shard integer,
    in_version integer,
    in_day date,
    upto bigint,
    in_code_version text,
    clock timestamptz
)
returns table (hindrance text, events bigint, hours timestamptz[])
language plpgsql volatile
-- As in bury_events.
set plan_cache_mode = 'force_custom_plan'
as $$
#variable_conflict use_column
declare
    since constant timestamptz := in_day::timestamp at time zone 'UTC';
    until constant timestamptz := (in_day + 1)::timestamp at time zone 'UTC';
    users constant text[] := array(select t.id from erasing as t where t.erasure = in_erasure and t.kind = 'user');
    sessions constant text[] := array(select t.id from erasing as t where t.erasure = in_erasure and t.kind = 'session');
    asked erasures;
    link bigint;
    changed json;
    newest bigint;
    before jsonb;
    after jsonb;
    told json;
    replaced bigint;
begin
    -- As in seal_hour. No fold changes the rows meanwhile, and no other transaction extends the chain.
    perform from checkpoints as c
    where c.shard = in_shard and c.stage <> 'filling'
    order by c.projection, c.version
    for update;
    events := 0;
    hours := '{}';
    select max(e.position) into newest
    from events as e
    where e.shard = in_shard and e.timestamp >= since and e.timestamp < until and e.position <= upto
        and (e.user_id = any (users) or e.session_id = any (sessions));
    if newest is null then
        return next;
        return;
    end if;
    select w.hindrance into hindrance
    from (
        values
            (1, exists (select from checkpoints as c where c.shard = in_shard and c.stage <> 'complete'), 'being rebuilt'),
            (2, exists (select from checkpoints as c where c.shard = in_shard and c.position < newest), 'not folded'),
            (
                3,
                not exists (select from log_heads as h where h.horizon < until)
                    and not exists (select from opened_days as o where o.day = in_day and o.stage = 'closing'),
                'closed'
            )
    ) as w (place, holds, hindrance)
    where w.holds
    order by w.place
    limit 1;
    if found then
        return next;
        return;
    end if;

    select e.* into asked from erasures as e where e.erasure = in_erasure;
    select l.sequence into link from next_link(in_shard) as l;
    insert into erasure_steps (shard, sequence, erasure, day) values (in_shard, link, in_erasure, in_day);
    before := erased_numbers(in_shard, in_day);
    with gone as (
        delete from events as e
        where e.shard = in_shard and e.timestamp >= since and e.timestamp < until and e.position <= upto
            and (e.user_id = any (users) or e.session_id = any (sessions))
        returning e.*
    ),
    -- In the person's place a stranger, who has no properties and no ids that anybody knows. An event that a quarantine
    -- leaves out gets none: it would be another event than the quarantine's, and count again.
    strangers as (
        insert into events as e (
            position, timestamp, received_at, shard, demo_mode, event_id, session_id, user_id, event_type, tool_name,
            action, properties
        )
        select
            g.position, g.timestamp, g.received_at, g.shard, g.demo_mode,
            'evt_' || replace(gen_random_uuid()::text, '-', ''), coalesce(s.alias, g.session_id),
            coalesce(u.alias, g.user_id), g.event_type, g.tool_name, g.action,
            case when r.risk_mode is not null then jsonb_build_object('risk_mode', r.risk_mode) end
        from gone as g
        cross join lateral (select hourly_risk_mode(g.event_type, g.properties) as risk_mode) as r
        left join erasing as s on s.erasure = in_erasure and s.kind = 'session' and s.id = g.session_id
        left join erasing as u on u.erasure = in_erasure and u.kind = 'user' and u.id = g.user_id
        where asked.mode = 'keep counts'
            and not is_quarantined(
                g.shard, g.timestamp, g.session_id, g.user_id, g.event_type, g.tool_name, g.action, r.risk_mode,
                g.demo_mode, g.properties
            )
        returning
            e.position,
            hour_of(e.timestamp) as hour,
            event_digest(
                e.event_id, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
                e.properties, e.demo_mode, e.timestamp
            ) as digest
    ),
    witnessed as (
        insert into hour_ledger as l (shard, hour, events, position_sum, digest_high, digest_low)
        select
            in_shard, s.hour, count(*), sum(s.position), sum(digest_half(s.digest, 1)), sum(digest_half(s.digest, 9))
        from strangers as s
        group by s.hour
        order by s.hour
        on conflict (shard, hour) do update set
            events = l.events + excluded.events,
            position_sum = l.position_sum + excluded.position_sum,
            digest_high = l.digest_high + excluded.digest_high,
            digest_low = l.digest_low + excluded.digest_low
    )
    select count(*), (select count(*) from strangers) into events, replaced from gone;
    -- The trigger has counted them as erased.
    update shard_totals as t set erased = t.erased - replaced where t.shard = in_shard and replaced > 0;
    after := erased_numbers(in_shard, in_day);

    select
        array_agg(n.hour::timestamptz order by n.hour),
        json_agg(
            json_build_object(
                'hour', n.hour, 'events', n.events, 'nonce', n.nonce, 'before', n.before::text, 'after', n.after::text
            )
            order by n.hour
        ),
        json_agg(
            json_build_object(
                'hour', n.hour, 'events', n.events, 'commitment', numbers_hash(n.nonce, n.before::text, n.after::text)
            )
            order by n.hour
        )
    into hours, told, changed
    from (
        select
            b.hour, b.numbers as before, a.numbers as after,
            (b.numbers ->> 'events')::bigint - (a.numbers ->> 'events')::bigint as events,
            encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex') as nonce
        from jsonb_each(before) as b (hour, numbers)
        cross join lateral (
            select coalesce(after -> b.hour, sealed_numbers(0, 0, 0, 0)::jsonb) as numbers
        ) as a
        where a.numbers <> b.numbers
        offset 0  -- one nonce for both
    ) as n;
    update erasure_steps as s
    set events = erase_day.events, numbers = told
    where s.shard = in_shard and s.sequence = link;

    -- Also files whose hour was written anew since: its events are in there still.
    delete from archive_hours as a
    using archive_files as f, unnest(erase_day.hours) as t (hour)
    where f.file = a.file and f.shard = in_shard and f.since <= t.hour and f.until > t.hour;
    delete from hour_proofs as p where p.shard = in_shard and p.hour = any (erase_day.hours);
    perform rebuild_hourly(in_shard, c.version, t.hour)
    from checkpoints as c
    cross join unnest(erase_day.hours) as t (hour)
    where c.shard = in_shard and c.projection = 'hourly';

    perform write_amendment(
        in_shard, in_day, 'erasure', 'erasure ' || in_erasure, '', changed, in_code_version, clock
    );
    perform write_seal(in_shard, in_version, t.hour, in_code_version, clock)
    from unnest(erase_day.hours) with ordinality as t (hour, place)
    where exists (select from hour_seals as s where s.shard = in_shard and s.hour = t.hour)
    order by t.place;
    return next;
end
$$;
