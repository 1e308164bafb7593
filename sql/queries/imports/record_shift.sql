-- Records the time by which an import shifts a file's timestamps, unless one is recorded already.
-- $1 SHA-256 of the file and of some of its rows, in order, so that two imports wait for each other; $2 SHIFT_TO as
-- written, $3 shift
-- Rows: none.
insert into import_shifts (file_digest, shift_to, shift)
select digest, $2, $3
from unnest($1::bytea[]) as d (digest)
on conflict (file_digest, shift_to) do nothing
