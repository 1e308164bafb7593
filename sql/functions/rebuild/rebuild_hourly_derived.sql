-- Derives anew from the rows of one hour: its edges, and the edges of other buckets that they reach. It removes the hour's
-- document when that is wrong. The caller holds the checkpoint. Rows: one, the number of edges written.
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
            -- Stored buckets need not be quarters: a manual edit may have put them anywhere.
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
