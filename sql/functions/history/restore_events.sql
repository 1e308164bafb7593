-- Puts events of a day back as they were, position and received_at included. Each array is a column.
create or replace function restore_events(
    in_day date,
    shards integer[],
    positions bigint[],
    event_ids text[],
    session_ids text[],
    user_ids text[],
    event_types text[],
    tool_names text[],
    actions text[],
    properties_texts text[],
    demo_modes boolean[],
    timestamps timestamptz[],
    received timestamptz[]
)
returns void
language plpgsql volatile
as $$
begin
    execute format(
        'insert into %I ('
        '    shard, position, event_id, session_id, user_id, event_type, tool_name, action, properties, demo_mode, timestamp,'
        '    received_at'
        ') select o.shard, o.position, o.event_id, o.session_id, o.user_id, o.event_type, o.tool_name, o.action,'
        '    o.properties::jsonb, o.demo_mode, o.timestamp, o.received_at'
        ' from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as o ('
        '    shard, position, event_id, session_id, user_id, event_type, tool_name, action, properties, demo_mode, timestamp,'
        '    received_at'
        ')',
        restored_table(in_day)
    )
    using
        shards, positions, event_ids, session_ids, user_ids, event_types, tool_names, actions, properties_texts, demo_modes,
        timestamps, received;
end
$$;
