"""Filters as PostgreSQL answers them, by jsonpath with the values as its variables. DuckDB must say the same."""

from __future__ import annotations

from dataclasses import fields

import msgspec

from service.questions.filters import Filters
from service.questions.predicates import predicate

# `event_matches` passes an event by a JSON object of filters; see `document`.
FUNCTIONS = """
create or replace function event_fields(in_event events)
returns jsonb
language sql stable parallel safe
as $$
    select jsonb_build_object(
        'event_type', $1.event_type,
        'session_id', $1.session_id,
        'user_id', $1.user_id,
        'tool_name', $1.tool_name,
        'action', $1.action,
        'demo_mode', $1.demo_mode,
        'risk_mode', hourly_risk_mode($1.event_type, $1.properties)
    )
$$;
create or replace function event_matches(in_event events, filters jsonb)
returns boolean
language sql stable parallel safe
as $$
    select ($2 ->> 'session_id' is null or $1.session_id = $2 ->> 'session_id')
        and ($2 ->> 'user_id' is null or $1.user_id = $2 ->> 'user_id')
        and ($2 ->> 'tool_name' is null or $1.tool_name = $2 ->> 'tool_name')
        and ($2 ->> 'event_type' is null or $1.event_type = $2 ->> 'event_type')
        and ($2 ->> 'action' is null or $1.action = $2 ->> 'action')
        and ($2 ->> 'demo_mode' is null or $1.demo_mode = ($2 ->> 'demo_mode')::boolean)
        and ($2 ->> 'risk_mode' is null or hourly_risk_mode($1.event_type, $1.properties) = $2 ->> 'risk_mode')
        and (
            $2 ->> 'where_fields' is null
            or jsonb_path_match(event_fields($1), ($2 ->> 'where_fields')::jsonpath, $2 -> 'where_values', true)
        )
        and (
            $2 ->> 'where_properties' is null
            or jsonb_path_match(
                coalesce($1.properties, '{}'),
                ($2 ->> 'where_properties')::jsonpath,
                ($2 -> 'where_values') || jsonb_build_object('event', event_fields($1)),
                true
            )
        )
$$;
"""


def document(filters: Filters) -> str:
    """Return the filters that are set as the JSON object that event_matches takes."""
    plain = {field.name: getattr(filters, field.name) for field in fields(filters) if field.name != "where"}
    where_fields, where_properties, values = predicate(filters.where)
    where = {
        "where_fields": where_fields,
        "where_properties": where_properties,
        "where_values": None if values is None else msgspec.Raw(values.encode()),
    }
    given = {name: value for name, value in (plain | where).items() if value is not None}
    return msgspec.json.encode(given).decode()
