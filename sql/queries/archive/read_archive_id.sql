-- The id of the archive, which a file in its folder holds, too.
-- Rows: one (archive_id: text, has_files: whether the catalog knows a file).
select w.archive_id::text as archive_id, exists (select from archive_files) as has_files
from archive_writing as w
