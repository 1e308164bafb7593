-- The name that an event counts under: the one definition for the projection (R4). service/archive/names.py says the same
-- in DuckDB's words. refused: refused_positions of the shard and the kind, or null.
create or replace function counted_name(
    refused int8multirange, in_shard integer, in_kind text, in_name text, in_position bigint
)
returns text
language sql stable
as $$
    select case when $1 @> $5 then admitted_name($2, $3, $4, $5) else $4 end
$$;
