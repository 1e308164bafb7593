-- The log: shards, events by day, and the witnesses of every append (R1, R2, R5, R6).

create table log_heads (
    shard integer constraint "a shard is not negative" check (shard >= 0),
    horizon timestamptz not null default '-infinity',
    primary key (shard)
);
comment on table log_heads is 'One row per shard. An append holds its row locked, so positions become visible in their order.';
comment on column log_heads.shard is 'Number of the shard, from 0. The rows are the shards: their number is fixed when the database is created.';
comment on column log_heads.horizon is 'Start of the oldest UTC day that still takes events. Never moves back.';

create table events (
    position bigint not null,
    timestamp timestamptz not null,
    received_at timestamptz not null,
    shard integer not null,
    demo_mode boolean not null,
    event_id text collate "C" not null,
    session_id text collate "C" not null,
    user_id text collate "C",
    event_type text collate "C" not null,
    tool_name text collate "C",
    action text collate "C",
    properties jsonb,
    primary key (timestamp, event_id, shard)
) partition by range (timestamp);
create index events_by_position on events (shard, position);
create index events_by_user on events (user_id, event_type);
create index events_by_session on events (session_id);
create index events_by_type on events (event_type, timestamp);
create index events_by_tool on events (tool_name, timestamp);
comment on table events is 'The log: append-only, partitioned by UTC day of timestamp. Everything else is regenerated from it.';
comment on column events.position is 'Place in the shard''s order of visibility, from 1. A gap is an event that was offered but not stored.';
comment on column events.timestamp is 'When the event happened, by its sender, to the microsecond.';
comment on column events.received_at is 'When the event was appended, by the database''s clock.';
comment on column events.shard is 'Stable hash of session_id, modulo the number of shards.';
comment on column events.demo_mode is 'Whether the sender was in demonstration mode.';
comment on column events.event_id is 'The sender''s idempotency key, or evt_ and a UUIDv7 in hex.';
comment on column events.session_id is 'The session the event belongs to.';
comment on column events.user_id is 'The user, when known.';
comment on column events.event_type is 'What happened.';
comment on column events.tool_name is 'The tool it happened in.';
comment on column events.action is 'What was done with the tool.';
comment on column events.properties is 'Anything else the sender said, a JSON object.';

create table receipts (
    shard integer not null,
    last_position bigint not null,
    hour timestamptz not null,
    events bigint not null constraint "a receipt is for one event or more" check (events > 0),
    position_sum numeric not null,
    digest_high numeric not null,
    digest_low numeric not null,
    primary key (shard, last_position, hour)
);
comment on table receipts is 'Insert-only witness of every append, one row per hour touched. The newest last_position of a shard is its head.';
comment on column receipts.shard is 'Shard of the append.';
comment on column receipts.last_position is 'The shard''s head after the append.';
comment on column receipts.hour is 'Hour (UTC) of the events'' timestamps.';
comment on column receipts.events is 'Events stored by the append in that hour.';
comment on column receipts.position_sum is 'Sum of their positions.';
comment on column receipts.digest_high is 'Sum of the first 64 bits (signed) of each event''s digest.';
comment on column receipts.digest_low is 'Sum of the second 64 bits (signed) of each event''s digest.';

create table hour_ledger (
    shard integer not null,
    hour timestamptz not null,
    events bigint not null,
    position_sum numeric not null,
    digest_high numeric not null,
    digest_low numeric not null,
    primary key (shard, hour)
);
comment on table hour_ledger is 'Receipts that every projection has passed, summed by hour. Ledger and receipts together say what was appended.';
comment on column hour_ledger.shard is 'Shard of the appends.';
comment on column hour_ledger.hour is 'Hour (UTC) of the events'' timestamps.';
comment on column hour_ledger.events is 'Events stored in that hour.';
comment on column hour_ledger.position_sum is 'Sum of their positions.';
comment on column hour_ledger.digest_high is 'Sum of the first 64 bits (signed) of each event''s digest.';
comment on column hour_ledger.digest_low is 'Sum of the second 64 bits (signed) of each event''s digest.';

create function refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'Rollups are mended by rebuilding them from the log, never by changing the log.';
end
$$;
comment on function refuse_change() is 'Trigger that keeps the log append-only (R1).';

create trigger events_are_append_only
before update or delete on events
for each row execute function refuse_change();

create trigger events_are_not_truncated
before truncate on events
for each statement execute function refuse_change();

comment on table schema_migrations is 'Which migrations were applied. Made before the first of them.';
comment on column schema_migrations.version is 'Number of the migration, from 1.';
comment on column schema_migrations.name is 'Name of the migration.';
comment on column schema_migrations.applied_at is 'When it was applied, by the database''s clock.';
