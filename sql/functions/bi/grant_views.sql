-- Lets the role hourledger_bi, if it exists, read the views of the schema bi and call the security definer functions
-- that the views call. Apart from that role only the owner may call those functions. Rows: one, whether the role
-- exists.
create or replace function grant_views(views text[], functions text[])
returns boolean
language plpgsql volatile
as $$
declare
    granted constant boolean := exists (select from pg_roles as r where r.rolname = 'hourledger_bi');
    function regprocedure;
    view text;
begin
    for function in
        select p.oid::regprocedure
        from pg_proc as p
        where p.pronamespace = current_schema()::regnamespace and p.proname = any (functions) and p.prosecdef
    loop
        execute format('revoke execute on function %s from public', function);
        if granted then
            execute format('grant execute on function %s to hourledger_bi', function);
        end if;
    end loop;
    if granted and to_regnamespace('bi') is not null then
        grant usage on schema bi to hourledger_bi;
        foreach view in array views loop
            execute format('grant select on bi.%I to hourledger_bi', view);
        end loop;
    end if;
    return granted;
end
$$;
