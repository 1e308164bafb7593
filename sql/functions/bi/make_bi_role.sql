-- Makes the role hourledger_bi if it does not exist. With `login`, also makes a member role of that name and sets its
-- password; a member that an earlier call made gets the new password. The settings below apply to the member in this
-- database only.
-- Rows: one, false when `login` is the name of another role.
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
            -- Roles belong to the whole server: another database's migration may have made it just now.
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
    -- A member role does not inherit settings. Queries get a time limit, because retention cannot drop a day in use.
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
