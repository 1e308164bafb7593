-- Versions that are rebuilt beside the live one, documents of verified hours, seals of closed hours, and the records of
-- days whose events are gone (R6).

alter table projections add column newest_version integer not null default 1;
comment on column projections.newest_version is 'Newest version that was ever begun.';
-- A rollback of this step may have left a live version later than 1.
update projections set newest_version = live_version;

alter table checkpoints
    add column stage text collate "C" not null default 'complete'
        constraint "a version is filling, proving or complete" check (stage in ('filling', 'proving', 'complete')),
    add column begun_at timestamptz not null default clock_timestamp();
comment on column checkpoints.stage is 'filling: a rebuild recounts the hours up to position; proving: it folds and verifies them; complete: reads may use it.';
comment on column checkpoints.begun_at is 'When the version was begun, by the database''s clock.';

-- Earlier proofs name no version and may cover events that were not folded, so verify makes them again.
drop table hour_proofs;
create table hour_proofs (
    shard integer not null,
    projection text collate "C" not null,
    version integer not null,
    hour timestamptz not null,
    state text collate "C" not null
        constraint "a proof is verified, sealed, drifted, damaged or broken"
        check (state in ('verified', 'sealed', 'drifted', 'damaged', 'broken')),
    events bigint not null,
    digest_high numeric not null,
    digest_low numeric not null,
    verified_at timestamptz not null,
    primary key (shard, projection, version, hour)
);
comment on table hour_proofs is 'What the last verification of each hour found, and the log as it was folded then: it holds as long as the witnesses still say the same.';
comment on column hour_proofs.shard is 'Shard that was verified.';
comment on column hour_proofs.projection is 'Projection that was verified.';
comment on column hour_proofs.version is 'Version of the projection that was verified.';
comment on column hour_proofs.hour is 'The hour (UTC).';
comment on column hour_proofs.state is 'verified: recount = rollup and log = witnesses; drifted: recount <> rollup; damaged: log <> witnesses; of an hour whose events are gone, sealed: rollup and ledger are as sealed; broken: they or the seal are not.';
comment on column hour_proofs.events is 'Events of the hour that were folded at the verification, by the witnesses.';
comment on column hour_proofs.digest_high is 'Their digest, first half.';
comment on column hour_proofs.digest_low is 'Their digest, second half.';
comment on column hour_proofs.verified_at is 'When the verification was made, by the database''s clock.';

create table hourly_documents (
    shard integer not null,
    version integer not null,
    hour timestamptz not null,
    document json not null,
    events bigint not null,
    sessions bigint not null,
    keys bigint not null,
    primary key (shard, version, hour)
);
comment on table hourly_documents is 'The rollup of each verified hour as answers show it. A fold that touches the hour removes it.';
comment on column hourly_documents.shard is 'Shard of the events.';
comment on column hourly_documents.version is 'Version of the projection.';
comment on column hourly_documents.hour is 'The hour (UTC).';
comment on column hourly_documents.document is 'hour, event_counts, tool_usage, risk_distribution, unique_sessions and total_events.';
comment on column hourly_documents.events is 'Its total_events.';
comment on column hourly_documents.sessions is 'Its unique_sessions.';
comment on column hourly_documents.keys is 'Keys of the kind that has most of them.';

create table hourly_fills (
    shard integer not null,
    version integer not null,
    hour timestamptz not null,
    filled_at timestamptz not null default clock_timestamp(),
    primary key (shard, version, hour)
);
comment on table hourly_fills is 'Hours that the rebuild of a version has filled: one that was interrupted goes on after them.';
comment on column hourly_fills.shard is 'Shard of the events.';
comment on column hourly_fills.version is 'Version that is filled.';
comment on column hourly_fills.hour is 'The hour (UTC).';
comment on column hourly_fills.filled_at is 'When it was filled, by the database''s clock.';

create table hour_seals (
    shard integer not null,
    sequence bigint not null constraint "a chain of seals begins with 1" check (sequence > 0),
    hour timestamptz not null,
    document json not null,
    events bigint not null,
    position_sum numeric not null,
    digest_high numeric not null,
    digest_low numeric not null,
    rows_high numeric not null,
    rows_low numeric not null,
    code_version text collate "C" not null,
    sealed_at timestamptz not null,
    previous_hash bytea not null,
    hash bytea not null,
    primary key (shard, sequence),
    unique (shard, hour)
);
comment on table hour_seals is 'What was proven of each hour before its events were dropped. One chain per shard: each seal holds the hash of the one before.';
comment on column hour_seals.shard is 'Shard of the hour, and of the chain.';
comment on column hour_seals.sequence is 'Place in the chain.';
comment on column hour_seals.hour is 'The hour (UTC).';
comment on column hour_seals.document is 'Its rollup.';
comment on column hour_seals.events is 'Events of the hour.';
comment on column hour_seals.position_sum is 'Sum of their positions.';
comment on column hour_seals.digest_high is 'Their digest, first half.';
comment on column hour_seals.digest_low is 'Their digest, second half.';
comment on column hour_seals.rows_high is 'Digest of the hour''s counts and session rows, first half.';
comment on column hour_seals.rows_low is 'Digest of the hour''s counts and session rows, second half.';
comment on column hour_seals.code_version is 'Version of hourledger that sealed it.';
comment on column hour_seals.sealed_at is 'When it was sealed, by the database''s clock.';
comment on column hour_seals.previous_hash is 'Hash of the seal before; 32 zero bytes for the first.';
comment on column hour_seals.hash is 'SHA-256 of all the above.';

create table retired_days (
    shard integer not null,
    day date not null,
    events bigint not null,
    retired_at timestamptz not null,
    primary key (shard, day)
);
comment on table retired_days is 'Days whose events were dropped.';
comment on column retired_days.shard is 'Shard of the events.';
comment on column retired_days.day is 'The UTC day.';
comment on column retired_days.events is 'Events dropped, by the seals of the day''s hours.';
comment on column retired_days.retired_at is 'When they were dropped, by the database''s clock.';

create table shard_totals (
    shard integer not null,
    compacted bigint not null default 0,
    rollups_since timestamptz not null default '-infinity',
    primary key (shard)
);
comment on table shard_totals is 'What each shard ever stored: with the receipts it is live + retired.';
comment on column shard_totals.shard is 'The shard.';
comment on column shard_totals.compacted is 'Events of all receipts that were ever summed into hour_ledger.';
comment on column shard_totals.rollups_since is 'Rollups and ledger of hours before were deleted by retention.';

insert into shard_totals (shard, compacted)
select h.shard, coalesce(sum(l.events), 0)
from log_heads as h
left join hour_ledger as l on l.shard = h.shard
group by h.shard;

create trigger seals_are_append_only
before update or delete on hour_seals
for each row execute function refuse_change();

create trigger seals_are_not_truncated
before truncate on hour_seals
for each statement execute function refuse_change();

create trigger retired_days_are_append_only
before update or delete on retired_days
for each row execute function refuse_change();

create trigger retired_days_are_not_truncated
before truncate on retired_days
for each statement execute function refuse_change();
