-- Erasures: what of a person goes, and what stays to prove it (R11). An erasure is an amendment of each day that it touches.

alter table amendments drop constraint "an amendment brings history";
alter table amendments
    add constraint "an amendment brings history or erases a person" check (kind in ('history', 'erasure'));
comment on table amendments is 'What changed in days that were closed, and what was erased of any day. A link of the shard''s chain of seals; the new seals of sealed hours follow it in the same transaction.';
comment on column amendments.kind is 'history: events came that are older than the horizon; erasure: those of a person went.';
comment on column amendments.hours is 'The hours that changed, oldest first. Of history a list of {hour, before, after}: both are {events, position_sum, digest_high, digest_low}, before by the seal that was in force, zeros without one, after by the seal that follows. Of an erasure a list of {hour, events, commitment}: how many went, and the SHA-256 of nonce, before and after, which the certificate tells; or, where no events are kept, of {hour, members, rows_high, rows_low}: how many member rows got another name, and by how much the digest of the hour''s rows changed.';

create table erasures (
    erasure bigint constraint "erasures are counted from 1" check (erasure > 0),
    site integer not null references sites (site),
    kind text not null constraint "a user or a session is erased" check (kind in ('user', 'session')),
    subject bytea not null constraint "a subject is a SHA-256" check (octet_length(subject) = 32),
    mode text not null
        constraint "an erasure deletes or keeps counts" check (mode in ('delete', 'keep counts')),
    sessions text not null
        constraint "all sessions go, or those that name nobody else" check (sessions in ('all', 'named')),
    requested_at timestamptz not null,
    completed_at timestamptz,
    segments integer not null default 0 constraint "deleted segments are counted from 0" check (segments >= 0),
    share_links integer not null default 0
        constraint "deleted share links are counted from 0" check (share_links >= 0),
    certificate bigint constraint "a certificate has a number of its own" unique,
    events bigint,
    previous_hash bytea,
    hash bytea,
    primary key (erasure),
    constraint "a certificate is of a completed erasure" check (
        num_nulls(completed_at, certificate, events, previous_hash, hash) in (0, 5)
    )
);
comment on table erasures is 'The erasures of persons. They name nobody.';
comment on column erasures.erasure is 'Number of the erasure, in the order in which they began.';
comment on column erasures.site is 'The site whose shards it is about.';
comment on column erasures.kind is 'What the person was named by.';
comment on column erasures.subject is 'HMAC-SHA-256 of kind, NUL and id, by the key of erasures, which is not in the database.';
comment on column erasures.mode is 'delete: the events went; keep counts: they stay, as those of a stranger.';
comment on column erasures.sessions is 'all: every event of a session that named the user; named: of sessions that name others too, only the user''s own events.';
comment on column erasures.requested_at is 'When it began, by the database''s clock.';
comment on column erasures.completed_at is 'When all of it was done and verified. Null until then.';
comment on column erasures.segments is 'Segments that named the person and were deleted so far.';
comment on column erasures.share_links is 'Share links whose filters named the person and that were deleted so far.';
comment on column erasures.certificate is 'Number of its certificate, in the order of completion.';
comment on column erasures.events is 'Events that were erased.';
comment on column erasures.previous_hash is 'Hash of the certificate before; 32 zero bytes for the first.';
comment on column erasures.hash is 'SHA-256 of the certificate.';

create table erasing (
    erasure bigint not null references erasures (erasure),
    kind text not null constraint "a user or a session is being erased" check (kind in ('user', 'session')),
    id text collate "C" not null,
    alias text collate "C" not null default replace(gen_random_uuid()::text, '-', ''),
    primary key (erasure, kind, id)
);
comment on table erasing is 'The ids that an erasure is about, until it is completed. The log lets only their rows go.';
comment on column erasing.erasure is 'The erasure.';
comment on column erasing.kind is 'What the id is of.';
comment on column erasing.id is 'The id.';
comment on column erasing.alias is 'A random text that takes its place where counts stay.';

create table erasure_steps (
    shard integer not null,
    sequence bigint not null,
    erasure bigint not null references erasures (erasure),
    day date not null,
    events bigint not null default 0,
    numbers json,
    primary key (shard, sequence)
);
create index erasure_steps_by_erasure on erasure_steps (erasure);
create index erasure_steps_by_day on erasure_steps (shard, day);
comment on table erasure_steps is 'What an erasure did: one shard and one day, in one transaction. Each has its amendment.';
comment on column erasure_steps.shard is 'The shard.';
comment on column erasure_steps.sequence is 'Place of the amendment in the shard''s chain.';
comment on column erasure_steps.erasure is 'The erasure.';
comment on column erasure_steps.day is 'The UTC day.';
comment on column erasure_steps.events is 'Events that were erased.';
comment on column erasure_steps.numbers is 'What the certificate tells: a list of {hour, events, nonce, before, after}. Null once the certificate is made, because it must not stay here.';

create table erased_days (
    day date not null,
    salt bytea not null default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    primary key (day)
);
comment on table erased_days is 'Days that have tombstones.';
comment on column erased_days.day is 'The UTC day.';
comment on column erased_days.salt is 'A random part of the day''s tombstones.';

create table erased_ids (
    shard integer not null,
    day date not null references erased_days (day) on delete cascade,
    id bytea not null,
    primary key (shard, day, id)
);
comment on table erased_ids is 'Tombstones: events that must not come back when an outbox sends them again. They go when no event of the day can come any more.';
comment on column erased_ids.shard is 'Shard of the event.';
comment on column erased_ids.day is 'UTC day of the event.';
comment on column erased_ids.id is 'SHA-256 of the day''s salt, the timestamp and the event id.';

alter table shard_totals add column erased bigint not null default 0;
comment on column shard_totals.erased is 'Events of the shard that were erased.';
comment on table shard_totals is 'What each shard ever stored: with the receipts it is live + retired + erased.';

create or replace function refuse_change() returns trigger
language plpgsql as $$
begin
    -- Two conditions, because other tables have no sessions.
    if tg_op = 'DELETE' and tg_name = 'events_are_append_only' then
        if is_erasing(old.shard, old.timestamp, old.user_id, old.session_id) then
            return old;
        end if;
    end if;
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'Rollups are mended by rebuilding them from the log, never by changing the log.';
end
$$;
comment on function refuse_change() is 'Trigger that keeps the log append-only (R1). Only an erasure of the same transaction may delete, and only its person''s events (R11).';

create function witness_erased() returns trigger
language plpgsql as $$
begin
    insert into hour_ledger as l (shard, hour, events, position_sum, digest_high, digest_low)
    select
        g.shard, g.hour, -count(*), -sum(g.position), -sum(digest_half(g.digest, 1)), -sum(digest_half(g.digest, 9))
    from (
        select
            e.shard, hour_of(e.timestamp) as hour, e.position,
            event_digest(
                e.event_id, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
                e.properties, e.demo_mode, e.timestamp
            ) as digest
        from deleted_events as e
        offset 0  -- keeps each digest from being computed once per half
    ) as g
    group by g.shard, g.hour
    order by g.shard, g.hour
    on conflict (shard, hour) do update set
        events = l.events + excluded.events,
        position_sum = l.position_sum + excluded.position_sum,
        digest_high = l.digest_high + excluded.digest_high,
        digest_low = l.digest_low + excluded.digest_low;
    insert into shard_totals as t (shard, erased)
    select e.shard, count(*) from deleted_events as e group by e.shard
    on conflict (shard) do update set erased = t.erased + excluded.erased;
    return null;
end
$$;
comment on function witness_erased() is 'Trigger that takes what an erasure deletes out of the witnesses, so that nothing goes without a trace (R11).';

create trigger erased_events_are_witnessed
after delete on events
referencing old table as deleted_events
for each statement execute function witness_erased();

create trigger erasure_steps_stay
before delete on erasure_steps
for each row execute function refuse_change();

create trigger erasure_steps_are_not_truncated
before truncate on erasure_steps
for each statement execute function refuse_change();
