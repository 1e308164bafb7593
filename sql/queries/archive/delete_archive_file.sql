-- Deletes the row of a file, unless an hour is read from it, or a transaction may read it that began before it was
-- marked. A reader locks archive_hours until it ends. The start of a transaction that cannot be seen counts as earlier.
-- $1 file
-- Rows: one (file) when it was deleted.
delete from archive_files as f
where f.file = $1 and f.released_at is not null
    and not exists (select from archive_hours as h where h.file = f.file)
    and not exists (
        select
        from pg_locks as k
        left join pg_stat_activity as a on a.pid = k.pid
        where k.locktype = 'relation'
            and k.database = (select d.oid from pg_database as d where d.datname = current_database())
            and k.relation = 'archive_hours'::regclass
            and k.pid is distinct from pg_backend_pid()
            and coalesce(a.xact_start, '-infinity') < f.released_at
    )
returning f.file
