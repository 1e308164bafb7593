-- The logins that may read the views of the schema bi and no more: members of hourledger_bi, but not those who also
-- may do what the owner of the database may, or who only pass the membership on. Rows: one per login.
create or replace function bi_logins()
returns table (login text)
language sql stable
as $$
    select r.rolname::text
    from pg_roles as r
    where r.rolcanlogin and not r.rolsuper
        and pg_has_role(r.oid, to_regrole('hourledger_bi'), 'member')
        and not pg_has_role(
            r.oid, (select d.datdba from pg_database as d where d.datname = current_database()), 'member'
        )
        -- PostgreSQL 16 makes the creator of a role its member, so that the creator can let others in.
        and not exists (
            select
            from pg_auth_members as m
            where m.member = r.oid and m.roleid = to_regrole('hourledger_bi') and m.admin_option
        )
$$;
