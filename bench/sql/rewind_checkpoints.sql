-- Makes the projector fold the log from its beginning again.
-- Rows: none.
update checkpoints
set position = 0
