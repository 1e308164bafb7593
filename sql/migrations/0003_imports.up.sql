-- The shift that `make import` records for a file, so that a second run stores nothing.

create table import_shifts (
    file_digest bytea not null constraint "a file digest is a SHA-256" check (length(file_digest) = 32),
    shift_to text collate "C" not null,
    shift interval not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (file_digest, shift_to)
);
comment on table import_shifts is 'By how much the timestamps of an imported file were moved. A later run of the same file moves them by the same.';
comment on column import_shifts.file_digest is 'SHA-256 of the file.';
comment on column import_shifts.shift_to is 'SHIFT_TO as it was written.';
comment on column import_shifts.shift is 'What is added to every timestamp: days and microseconds, never months.';
comment on column import_shifts.recorded_at is 'When the shift was recorded, by the database''s clock.';
