-- Deletes the proof of a drifted hour after a rebuild: the hour is open until it is verified again.
-- $1 shard, $2 projection, $3 version, $4 hour
-- Rows: none.
delete from hour_proofs
where shard = $1 and projection = $2 and version = $3 and hour = $4 and state = 'drifted'
