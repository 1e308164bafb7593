-- Ends the sessions of logins that read the schema bi whose transaction lasts longer than `longest`. A statement cannot
-- outlast its transaction, and no setting of the session keeps it from being ended.
-- Rows: one per session that was ended, and one per session that we may not see into (lasted: null).
create or replace function end_long_readers(longest interval)
returns table (login text, pid integer, lasted interval, ended boolean)
language sql volatile
as $$
    select s.usename::text, s.pid, s.lasted, s.lasted is not null and pg_terminate_backend(s.pid)
    from (
        select
            a.usename, a.pid,
            -- Of a session of a role that we are no member of, PostgreSQL tells no times, or lets us not end it.
            case when pg_has_role(a.usesysid, 'usage') then clock_timestamp() - a.xact_start end as lasted,
            pg_has_role(a.usesysid, 'usage') as seen
        from pg_stat_activity as a
        where a.datname = current_database() and a.backend_type = 'client backend'
            and a.usename in (select b.login from bi_logins() as b)
    ) as s
    where s.lasted > longest or not s.seen
$$;
