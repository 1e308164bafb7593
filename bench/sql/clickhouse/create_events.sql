-- Makes the table of events, as ClickHouse's documentation would have it: names of few values in dictionaries, properties
-- as JSON, whose paths are columns inside, and in the order of time.
-- Rows: none.
create table bench.events (
    session_id String,
    user_id Nullable(String),
    event_type LowCardinality(String),
    tool_name LowCardinality(Nullable(String)),
    timestamp DateTime64(6, 'UTC'),
    position Int64,
    properties JSON
)
engine = MergeTree
order by timestamp
