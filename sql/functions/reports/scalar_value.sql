-- A property's value if a list of values may name it: a string, number or boolean of up to 256 characters, else null.
create or replace function scalar_value(value jsonb)
returns jsonb
language sql immutable parallel safe
as $$
    select case when jsonb_typeof($1) in ('string', 'number', 'boolean') and length($1 #>> '{}') <= 256 then $1 end
$$;
