-- Makes the projector begin anew.
-- Rows: none.
update checkpoints
set position = 0
