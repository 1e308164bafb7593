-- Recounts what is derived from the rows of one hour: its edges, and those of `other_buckets`. Deletes the hour's
-- document when it is wrong. The caller holds the checkpoint's lock. Rows: one, the number of edges written.
create or replace function rebuild_hourly_derived(
    in_shard integer,
    in_version integer,
    in_hour timestamptz,
    other_buckets timestamptz[]
)
returns bigint
language plpgsql volatile
as $$
declare
    edges_written bigint;
begin
    edges_written := rebuild_hourly_edges(
        in_shard,
        in_version,
        quarters_of(in_hour) || other_buckets || array(
            -- A manual edit may have stored edges that do not begin at a quarter.
            select e.bucket
            from hourly_edges as e
            where e.shard = in_shard and e.version = in_version and e.kind = any (enum_range(null::hourly_member))
                and e.bucket >= in_hour and e.bucket < in_hour + interval '1 hour'
        )
    );
    delete from hourly_documents as d
    where d.shard = in_shard and d.version = in_version and d.hour = in_hour
        and exists (select from hourly_document_drift(in_shard, in_version, in_hour));
    return edges_written;
end
$$;
