-- Deletes the proof that an hour drifted: it was rebuilt, and is open until verify looks at it again.
-- $1 shard, $2 projection, $3 version, $4 hour
-- Rows: none.
delete from hour_proofs
where shard = $1 and projection = $2 and version = $3 and hour = $4 and state = 'drifted'
