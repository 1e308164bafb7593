-- The shard's head: the last position of the newest append that stored something, 0 for an empty shard.
create or replace function log_head(in_shard integer)
returns bigint
language sql stable parallel safe
as $$
    select coalesce(max(r.last_position), 0) from receipts as r where r.shard = $1
$$;
