-- Limits what one login can take from others, in this database. Raises insufficient_privilege when we may not.
-- The login can lift its own settings, but not the number of its connections. See end_long_readers.
create or replace function limit_bi_login(login text)
returns void
language plpgsql volatile
as $$
declare
    setting text;
begin
    execute format('alter role %I connection limit 10', login);
    -- A member role does not inherit settings. Queries get a time limit, because retention cannot drop a day in use.
    foreach setting in array array[
        'statement_timeout = ''60s''',
        'idle_in_transaction_session_timeout = ''60s''',
        'default_transaction_read_only = on',
        'timezone = ''UTC'''
    ] loop
        execute format('alter role %I in database %I set %s', login, current_database(), setting);
    end loop;
    -- Usually only a superuser may, as the owner of the embedded server is. The login cannot lift this one.
    if has_parameter_privilege('temp_file_limit', 'set') then
        execute format('alter role %I in database %I set temp_file_limit = ''1GB''', login, current_database());
    end if;
    -- Only a member of a role sees and ends its sessions.
    if not pg_has_role(login, 'usage') then
        execute format('grant %I to current_user', login);
    end if;
end
$$;
