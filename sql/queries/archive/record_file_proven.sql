-- Records that a file was proven: its content is what its name says, and it holds its hours.
-- $1 file, $2 clock or null
-- Rows: one per hour (hour).
with mended as (
    update archive_files set damage = null where file = $1 and damage is not null
)
update archive_hours set proven_at = coalesce($2::timestamptz, clock_timestamp())
where file = $1
returning hour
