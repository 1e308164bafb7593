-- Quarantines: which events the numbers leave out, by shard and day; and amendments of two more kinds (R4, R11).

create table quarantines (
    number integer generated always as identity,
    shards integer[] not null constraint "a quarantine is of some shards" check (cardinality(shards) > 0),
    since timestamptz not null,
    until timestamptz not null constraint "a quarantine ends after it begins" check (until > since),
    condition text not null,
    conditions json not null,
    of_fields jsonpath,
    of_properties jsonpath,
    operands jsonb not null,
    reason text not null,
    asked_by text not null,
    put_at timestamptz not null default clock_timestamp(),
    lifted_at timestamptz,
    primary key (number),
    constraint "a quarantine has a condition" check (of_fields is not null or of_properties is not null)
);
comment on table quarantines is 'Definitions of events that the numbers leave out. A definition never changes; a wrong one is lifted, and another one put.';
comment on column quarantines.number is 'Number of the quarantine, from 1.';
comment on column quarantines.shards is 'Shards of the site whose events it is about.';
comment on column quarantines.since is 'Start of the range of timestamps.';
comment on column quarantines.until is 'End of the range, which does not belong to it.';
comment on column quarantines.condition is 'The condition that its events pass, as it was written.';
comment on column quarantines.conditions is 'The same for questions about raw events: a list of [path, operator, texts, numbers, truth values].';
comment on column quarantines.of_fields is 'The same for the projection: the part about fields of an event, null for none.';
comment on column quarantines.of_properties is 'The part about properties, null for none.';
comment on column quarantines.operands is 'The values that both parts name.';
comment on column quarantines.reason is 'Why, in the words of whoever asked.';
comment on column quarantines.asked_by is 'Who asked: the name of a user of the machine.';
comment on column quarantines.put_at is 'When it was put, by the database''s clock.';
comment on column quarantines.lifted_at is 'When all that can come back was back in the numbers. Null until then.';

create table quarantined_days (
    shard integer not null,
    day date not null,
    quarantine integer not null references quarantines (number),
    primary key (shard, day, quarantine)
);
comment on table quarantined_days is 'Where quarantines are in force. The transaction that adds or removes a row also rebuilds the hours of the day.';
comment on column quarantined_days.shard is 'Shard of the log.';
comment on column quarantined_days.day is 'The UTC day.';
comment on column quarantined_days.quarantine is 'The quarantine.';

create function refuse_other_definition() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - 'lifted_at' = to_jsonb(old) - 'lifted_at' then
        return new;
    end if;
    raise exception 'the definition of a quarantine does not change: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'Lift the quarantine, and put another one.';
end
$$;
comment on function refuse_other_definition() is 'Trigger that keeps the definitions of quarantines (R4).';

create trigger quarantines_keep_their_definition
before update or delete on quarantines
for each row execute function refuse_other_definition();

alter table amendments drop constraint "an amendment brings history or erases a person";
alter table amendments add constraint "an amendment has a known kind"
    check (kind in ('history', 'erasure', 'accepted', 'quarantine'));
comment on column amendments.kind is 'history: events came that are older than the horizon; erasure: events of a person went; accepted: the damage of hours was accepted; quarantine: the numbers leave events out, or count them again, and the log is as before.';
comment on column amendments.hours is 'The hours that changed, oldest first. Of history and of a quarantine a list of {hour, before, after}: both are {events, position_sum, digest_high, digest_low}, before by the seal that was in force, zeros without one, after by the seal that follows. Of accepted damage a list of {hour, before, after, total}: before is what was appended, after what was there, and total by how much the shard''s total of stored events changed: 0 when the ledger was wrong and not the log. Of an erasure a list of {hour, events, commitment}: how many went, and the SHA-256 of nonce, before and after, which the certificate tells; or, where no events are kept, of {hour, members, rows_high, rows_low}: how many member rows got another name, and by how much the digest of the hour''s rows changed.';
