-- Makes a version of a projection live.
-- $1 projection, $2 version
-- Rows: one (switched: false when it is not filled in every shard).
select switch_version($1, $2) as switched
