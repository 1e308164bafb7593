-- What a connection of DuckDB gets once it is open: functions for both sides of the archive, and settings. The last one
-- locks all settings.
-- session_of: the column `session` of a session id
-- has_long_number: whether JSON text may hold a number of more digits than a double keeps
-- with_exact_numbers: JSON text with each number as a string of NUL, which stored text never has, and its digits, because
-- DuckDB reads numbers as doubles. The pattern is strings and whatever is no number, then a number, or the end of the
-- text, whose mark is taken off.
-- Rows: none.
create macro session_of(session_id) as left(sha256(session_id), 32)::uuid;
create macro has_long_number(json) as coalesce(regexp_matches(json, '[0-9.]{16,}'), false);
create macro with_exact_numbers(json) as left(
    regexp_replace(json, '((?:"(?:[^"\\]|\\.)*"|[^"0-9-])*)(-?[0-9][0-9.]*|$)', '\1"\\u0000\2"', 'gs'), -8
);
set timezone = 'UTC';
set enable_progress_bar = false;
-- Files never change, so what their ends say of their columns is read once.
set parquet_metadata_cache = true;
set lock_configuration = true;
