-- What stays of an erased event's id: SHA-256 of the day's salt, the microseconds since 1970, a blank and the event id.
create or replace function tombstone(salt bytea, moment timestamptz, event_id text)
returns bytea
language sql immutable parallel safe
as $$
    select sha256($1 || convert_to(round(date_part('epoch', $2) * 1000000)::bigint || ' ' || $3, 'UTF8'))
$$;
