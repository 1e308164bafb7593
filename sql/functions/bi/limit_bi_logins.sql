-- Limits the logins that bi-role has made for this database, also in an older release, unless they are limited. Forbids
-- temporary tables to everyone but the owner while the role hourledger_bi exists, because a right of everyone cannot be
-- taken from one. Where we are a superuser, also forbids the functions by which a login without any table fills the disk.
-- Rows: one per login that we may not limit.
create or replace function limit_bi_logins()
returns table (unlimited text)
language plpgsql volatile
as $$
declare
    here constant oid := (select d.oid from pg_database as d where d.datname = current_database());
    owner constant oid := (select d.datdba from pg_database as d where d.oid = here);
    writer regprocedure;
begin
    if to_regrole('hourledger_bi') is null then
        return;
    end if;
    if pg_has_role(owner, 'usage') and has_database_privilege('public', here, 'temporary') then
        execute format('revoke temporary on database %I from public', current_database());
    end if;
    if (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
        for writer in
            select p.oid::regprocedure
            from pg_proc as p
            where p.pronamespace = 'pg_catalog'::regnamespace
                and p.proname in (
                    'lo_creat', 'lo_create', 'lo_from_bytea',
                    'lo_put', 'lowrite', 'lo_truncate', 'lo_truncate64',
                    'pg_logical_emit_message'
                )
                and has_function_privilege('public', p.oid, 'execute')
        loop
            execute format('revoke execute on function %s from public', writer);
        end loop;
    end if;
    for unlimited in
        select b.login
        from bi_logins() as b
        join pg_roles as r on r.rolname = b.login
        join pg_db_role_setting as s on s.setrole = r.oid and s.setdatabase = here
        where r.rolconnlimit = -1 or not pg_has_role(r.oid, 'usage')
    loop
        begin
            perform limit_bi_login(unlimited);
        exception
            when insufficient_privilege then return next;
        end;
    end loop;
end
$$;
