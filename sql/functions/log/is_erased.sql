-- Whether an event that is offered was erased, by its tombstone.
create or replace function is_erased(in_shard integer, moment timestamptz, event_id text)
returns boolean
language sql stable
as $$
    select exists (
        select
        from erased_days as d
        join erased_ids as t on t.shard = $1 and t.day = d.day and t.id = tombstone(d.salt, $2, $3)
        where d.day = ($2 at time zone 'UTC')::date
    )
$$;
