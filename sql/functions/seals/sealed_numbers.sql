-- The numbers of an hour in an amendment: zeros when the hour had no seal. Sums are strings, because they are longer than
-- what a reader of JSON keeps of a number.
create or replace function sealed_numbers(events bigint, position_sum numeric, digest_high numeric, digest_low numeric)
returns json
language sql immutable parallel safe
as $$
    select json_build_object(
        'events', coalesce($1, 0),
        'position_sum', coalesce($2, 0)::text,
        'digest_high', coalesce($3, 0)::text,
        'digest_low', coalesce($4, 0)::text
    )
$$;
