-- Makes the schema bi if it is not there and may be made. Rows: one: what the views in it were made of (a digest in its comment),
-- '' when that is not known or one of the given names is missing, null when there is no schema for them.
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
