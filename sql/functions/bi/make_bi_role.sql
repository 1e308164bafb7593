-- Makes the role hourledger_bi if it does not exist. With `login`, also makes a member role of that name with limits,
-- and sets its password; a member that an earlier call made gets the new password and the limits.
-- Rows: one, false when `login` is the name of another role.
create or replace function make_bi_role(login text, password text)
returns boolean
language plpgsql volatile
as $$
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
    elsif not exists (select from bi_logins() as b where b.login = make_bi_role.login) then
        return false;
    end if;
    execute format('alter role %I password %L', login, password);
    perform limit_bi_login(login);
    return true;
end
$$;
