-- Makes the schema bi if it does not exist and we may create it. Rows: one, the digest of the files that its views
-- were made from (read from the schema's comment), '' when it has none or a named view is missing, null when we may
-- not use the schema.
create or replace function open_views(names text[])
returns text
language plpgsql volatile
as $$
begin
    if to_regnamespace('bi') is null then
        if not has_database_privilege(current_database(), 'create') then
            return null;
        end if;
        create schema bi;
    end if;
    if not pg_has_role((select n.nspowner from pg_namespace as n where n.nspname = 'bi'), 'usage') then
        return null;
    end if;
    if exists (select from unnest(names) as n (name) where to_regclass(format('bi.%I', n.name)) is null) then
        return '';
    end if;
    return coalesce(substring(obj_description('bi'::regnamespace, 'pg_namespace') from 'sha256:([0-9a-f]{64})'), '');
end
$$;
