-- Whether a table holds any row.
create or replace function has_rows(relation text)
returns boolean
language plpgsql stable
as $$
declare
    present boolean;
begin
    execute format('select exists (select from %I)', relation) into present;
    return present;
end
$$;
