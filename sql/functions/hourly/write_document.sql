-- Writes the document of an hour that the caller has verified. verified_*: the witnesses of that verification.
-- Rows: one, false when nothing was written: the hour is not over, is empty, has changed since, or has a document
-- already.
create or replace function write_document(
    in_shard integer,
    in_version integer,
    in_hour timestamptz,
    verified_events bigint,
    verified_high numeric,
    verified_low numeric,
    clock timestamptz
)
returns boolean
language plpgsql volatile
as $$
begin
    -- Under the checkpoint's lock no fold changes the hour; the statement after it sees what the last fold did.
    perform from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version
    for update;
    if not found then
        return false;  -- the version has ended
    end if;
    insert into hourly_documents as d (shard, version, hour, document, events, sessions, keys)
    select in_shard, in_version, in_hour, r.document, r.events, r.sessions, r.keys
    from hourly_rollup(in_shard, in_version, in_hour) as r, appended(in_shard, in_hour) as a
    where (a.events, a.digest_high, a.digest_low) = (verified_events, verified_high, verified_low)
        and a.events > 0
        and in_hour + interval '1 hour' <= coalesce(clock, clock_timestamp())
    on conflict (shard, version, hour) do nothing;
    return found;
end
$$;
