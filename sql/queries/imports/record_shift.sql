-- Records the time by which an import shifts a file's timestamps, unless one is recorded already.
-- $1 SHA-256 of the file, $2 SHIFT_TO as written, $3 shift
-- Rows: none.
insert into import_shifts (file_digest, shift_to, shift)
values ($1, $2, $3)
on conflict (file_digest, shift_to) do nothing
