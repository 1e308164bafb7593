-- Amendments: what came into days that were closed, in the chain of seals (R11), and the days that are open for it.

create table amendments (
    shard integer not null,
    sequence bigint not null constraint "a chain of seals and amendments begins with 1" check (sequence > 0),
    day date not null,
    kind text collate "C" not null constraint "an amendment brings history" check (kind in ('history')),
    reason text not null,
    asked_by text not null,
    hours json not null,
    code_version text collate "C" not null,
    amended_at timestamptz not null,
    previous_hash bytea not null,
    hash bytea not null,
    primary key (shard, sequence)
);
create index amendments_by_day on amendments (shard, day);
comment on table amendments is 'What changed in days that were closed. A link of the shard''s chain of seals; the new seals of the hours follow it in the same transaction.';
comment on column amendments.shard is 'Shard of the day, and of the chain.';
comment on column amendments.sequence is 'Place in the chain.';
comment on column amendments.day is 'The UTC day.';
comment on column amendments.kind is 'history: events came that are older than the horizon.';
comment on column amendments.reason is 'Why, in the words of whoever asked.';
comment on column amendments.asked_by is 'Who asked: the name of a user of the machine.';
comment on column amendments.hours is 'The hours that changed, oldest first: a list of {hour, before, after}. Both are {events, position_sum, digest_high, digest_low}: before by the seal that was in force, zeros without one; after by the seal that follows.';
comment on column amendments.code_version is 'Version of hourledger that amended it.';
comment on column amendments.amended_at is 'When it was amended, by the database''s clock.';
comment on column amendments.previous_hash is 'Hash of the link before; 32 zero bytes for the first.';
comment on column amendments.hash is 'SHA-256 of all the above.';

create trigger amendments_are_append_only
before update or delete on amendments
for each row execute function refuse_change();

create trigger amendments_are_not_truncated
before truncate on amendments
for each statement execute function refuse_change();

-- An hour that was amended has several seals. The newest is in force; see functions/seals/seals_in_force.sql.
alter table hour_seals drop constraint hour_seals_shard_hour_key;
create index hour_seals_by_hour on hour_seals (shard, hour, sequence);
comment on table hour_seals is 'What was proven of each hour before its events were dropped. The newest seal of an hour is in force. One chain per shard, with the amendments: each link holds the hash of the one before.';
comment on column hour_seals.previous_hash is 'Hash of the link before, a seal or an amendment; 32 zero bytes for the first.';

create table opened_days (
    day date not null primary key,
    stage text collate "C" not null
        constraint "an opened day takes events or is closing" check (stage in ('open', 'closing')),
    reason text not null,
    asked_by text not null,
    opened_at timestamptz not null
);
comment on table opened_days is 'Days before the horizon that are in the log to take history. Retention leaves them alone.';
comment on column opened_days.day is 'The UTC day.';
comment on column opened_days.stage is 'open: it takes events; closing: it takes none, and is being verified, archived and sealed.';
comment on column opened_days.reason is 'Why it was opened; its amendments repeat this.';
comment on column opened_days.asked_by is 'Who asked: the name of a user of the machine.';
comment on column opened_days.opened_at is 'When it was opened last, by the database''s clock.';

-- A day that is opened is retired no longer.
create or replace function refuse_retired_change() returns trigger
language plpgsql as $$
begin
    if tg_op = 'DELETE' and (
        exists (select from leaving_days as l where l.day = old.day and l.stage = 'detached')
        or exists (select from opened_days as o where o.day = old.day)
    ) then
        return old;
    end if;
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'A retired day comes back only by undrop, while its events are still detached, or for an import of history.';
end
$$;
comment on function refuse_retired_change() is 'Trigger that keeps the records of retired days, unless the day is brought back (R13) or opened (R11).';
