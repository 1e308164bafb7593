-- Records a file that is about to get its name. A file of the same name has the same content.
-- $1 file, $2 shard, $3 since, $4 until, $5 events, $6 bytes, $7 property columns as JSON, $8 events with long numbers,
-- $9 clock or null
-- Rows: none.
insert into archive_files as f (
    file, shard, since, until, events, bytes, property_columns, long_numbers, written_at
)
values ($1, $2, $3, $4, $5, $6, $7::text::json, $8, coalesce($9::timestamptz, clock_timestamp()))
on conflict (file) do update set released_at = null, written_at = excluded.written_at
