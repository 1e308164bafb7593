-- The projection `hourly`, its checkpoint, and the proofs of its hours (R3, R4).

create table projections (
    projection text collate "C" primary key,
    live_version integer not null
);
comment on table projections is 'Which version of each projection answers reads.';
comment on column projections.projection is 'Name of the projection.';
comment on column projections.live_version is 'Version that reads use.';

create table checkpoints (
    shard integer not null,
    projection text collate "C" not null,
    version integer not null,
    position bigint not null default 0,
    primary key (shard, projection, version)
);
comment on table checkpoints is 'How far each projection has folded each shard. Its row is locked by whoever changes the projection''s rows.';
comment on column checkpoints.shard is 'Shard of the log.';
comment on column checkpoints.projection is 'Name of the projection.';
comment on column checkpoints.version is 'Version of the projection.';
comment on column checkpoints.position is 'Every event up to this position is folded, none beyond it.';

create type hourly_dimension as enum ('event_type', 'tool_name', 'risk_mode');
comment on type hourly_dimension is 'What the projection hourly counts events by.';

create table hourly_counts (
    shard integer not null,
    version integer not null,
    bucket timestamptz not null,
    dimension hourly_dimension not null,
    key text collate "C" not null,
    events bigint not null,
    primary key (shard, version, bucket, dimension, key)
) with (fillfactor = 70);
comment on table hourly_counts is 'Events per quarter of an hour, dimension and key. The sum over event_type is every event.';
comment on column hourly_counts.shard is 'Shard of the events.';
comment on column hourly_counts.version is 'Version of the projection.';
comment on column hourly_counts.bucket is 'Start of the quarter of an hour (UTC).';
comment on column hourly_counts.dimension is 'What is counted by.';
comment on column hourly_counts.key is 'The value counted.';
comment on column hourly_counts.events is 'Number of events.';

create table hourly_sessions (
    shard integer not null,
    version integer not null,
    bucket timestamptz not null,
    session_id text collate "C" not null,
    primary key (shard, version, session_id, bucket)
);
-- The hour leads, against the habit of shard first: before the table has been analyzed, an index that begins like the
-- primary key would tempt the planner to look for one session's neighbours among those of all sessions.
create index hourly_sessions_by_hour
on hourly_sessions (date_bin('1 hour', bucket, '2000-01-01 00:00:00+00'), shard, version);
comment on table hourly_sessions is 'Which sessions were active in which quarter of an hour.';
comment on column hourly_sessions.shard is 'Shard of the session.';
comment on column hourly_sessions.version is 'Version of the projection.';
comment on column hourly_sessions.bucket is 'Start of the quarter of an hour (UTC).';
comment on column hourly_sessions.session_id is 'The session.';

create table hourly_edges (
    shard integer not null,
    version integer not null,
    bucket timestamptz not null,
    previous timestamptz not null,
    sessions bigint not null,
    primary key (shard, version, bucket, previous)
) with (fillfactor = 70);
comment on table hourly_edges is 'How many sessions were active in bucket and last before that in previous. Distinct sessions of [a, b) are the sum where a <= bucket < b and previous < a.';
comment on column hourly_edges.shard is 'Shard of the sessions.';
comment on column hourly_edges.version is 'Version of the projection.';
comment on column hourly_edges.bucket is 'Start of the quarter of an hour (UTC).';
comment on column hourly_edges.previous is 'Start of the quarter before in which the same sessions were active, -infinity if none.';
comment on column hourly_edges.sessions is 'Number of sessions.';

create table hour_proofs (
    shard integer not null,
    projection text collate "C" not null,
    hour timestamptz not null,
    state text collate "C" not null
        constraint "a proof is verified, drifted or damaged" check (state in ('verified', 'drifted', 'damaged')),
    events bigint not null,
    digest_high numeric not null,
    digest_low numeric not null,
    verified_at timestamptz not null,
    primary key (shard, projection, hour)
);
comment on table hour_proofs is 'What the last verification of each hour found, and the log as it was then: it holds as long as the ledger still says the same.';
comment on column hour_proofs.shard is 'Shard that was verified.';
comment on column hour_proofs.projection is 'Projection that was verified.';
comment on column hour_proofs.hour is 'The hour (UTC).';
comment on column hour_proofs.state is 'verified: recount = rollup and log = ledger; drifted: recount <> rollup; damaged: log <> ledger.';
comment on column hour_proofs.events is 'Events of the hour by the ledger, at the verification.';
comment on column hour_proofs.digest_high is 'Digest of the hour by the ledger, first half, at the verification.';
comment on column hour_proofs.digest_low is 'Digest of the hour by the ledger, second half, at the verification.';
comment on column hour_proofs.verified_at is 'When the verification was made, by the database''s clock.';
