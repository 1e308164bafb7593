-- Deletes rows of an ended version in one shard: at most `most` of each large table, so that no transaction is long.
-- Rows: one, how many counts, members and edges were deleted.
create or replace function delete_hourly(in_shard integer, in_version integer, most bigint)
returns bigint
language sql volatile
as $$
    with counts as (
        delete from hourly_counts
        where ctid = any (array(
            select ctid from hourly_counts where shard = $1 and version = $2 limit $3
        ))
        returning 1
    ),
    members as (
        delete from hourly_members
        where ctid = any (array(
            select ctid from hourly_members where shard = $1 and version = $2 limit $3
        ))
        returning 1
    ),
    edges as (
        delete from hourly_edges
        where ctid = any (array(
            select ctid from hourly_edges where shard = $1 and version = $2 limit $3
        ))
        returning 1
    ),
    documents as (
        delete from hourly_documents where shard = $1 and version = $2
    ),
    proofs as (
        delete from hour_proofs where shard = $1 and projection = 'hourly' and version = $2
    ),
    fills as (
        delete from hourly_fills where shard = $1 and version = $2
    )
    select (select count(*) from counts) + (select count(*) from members) + (select count(*) from edges)
$$;
