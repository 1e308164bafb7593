-- Makes the role hourledger_bi if there is none, and with a login, a member of it that logs in with this password: a new one, or
-- one that was made like this before. What it may do by default is of this database. Rows: one, false when the name of the
-- login is another role's.
create or replace function make_bi_role(login text, password text)
returns boolean
language plpgsql volatile
as $$
declare
    setting text;
begin
    if not exists (select from pg_roles as r where r.rolname = 'hourledger_bi') then
        begin
            create role hourledger_bi nologin;
        exception
            -- Roles are of the whole server: another database's may have just been made.
            when duplicate_object or unique_violation then null;
        end;
    end if;
    if login is null then
        return true;
    end if;
    if not exists (select from pg_roles as r where r.rolname = login) then
        execute format('create role %I login in role hourledger_bi', login);
    elsif login = 'hourledger_bi' or not exists (
        select
        from pg_auth_members as m
        where m.member = quote_ident(login)::regrole and m.roleid = 'hourledger_bi'::regrole
    ) then
        return false;
    end if;
    execute format('alter role %I password %L', login, password);
    -- These are not inherited from a group. A query that lasts keeps retention from dropping its days.
    foreach setting in array array[
        'statement_timeout = ''60s''',
        'idle_in_transaction_session_timeout = ''60s''',
        'default_transaction_read_only = on',
        'timezone = ''UTC'''
    ] loop
        execute format('alter role %I in database %I set %s', login, current_database(), setting);
    end loop;
    return true;
end
$$;
