-- Makes the schema bi unless it exists or may not be made. Rows: one: the digest of the texts that its views were made of,
-- '' when that is unknown or one of the given views is missing, null when the schema is missing or not ours.
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
