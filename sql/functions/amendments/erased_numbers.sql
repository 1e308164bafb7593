-- What was appended to each hour of a shard's day, as an object of hours (YYYY-MM-DDThh:mmZ) and their numbers; see
-- sealed_numbers.
create or replace function erased_numbers(in_shard integer, in_day date)
returns jsonb
language sql stable
as $$
    select coalesce(
        jsonb_object_agg(hour_text(a.hour), sealed_numbers(a.events, a.position_sum, a.digest_high, a.digest_low)), '{}'
    )
    from appended_numbers($1, $2::timestamp at time zone 'UTC', ($2 + 1)::timestamp at time zone 'UTC') as a
$$;
