-- A scalar_value as JSON text. Equal numbers have equal texts: 1.0 becomes 1.
create or replace function scalar_text(value jsonb)
returns text
language sql immutable parallel safe
as $$
    select case when jsonb_typeof($1) = 'number' then trim_scale(($1 #>> '{}')::numeric)::text else $1::text end collate "C"
$$;
