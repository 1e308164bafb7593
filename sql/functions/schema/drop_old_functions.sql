-- Drops the functions with the given names in the current schema that this transaction did not write: those that an older
-- release left. Call it after writing all functions, outside of savepoints, because xmin names the savepoint.
-- Rows: one per function that stays because other objects depend on it (signature, detail: which objects).
create or replace function drop_old_functions(names text[])
returns table (signature text, detail text)
language plpgsql volatile
as $$
begin
    for signature in
        select p.oid::regprocedure::text
        from pg_proc as p
        where p.proname = any (names) and p.pronamespace = current_schema()::regnamespace
            and p.prokind = 'f' and pg_has_role(p.proowner, 'usage') and p.xmin <> pg_current_xact_id()::xid
    loop
        begin
            -- No cascade, because it would also drop what a user built on the function.
            execute format('drop function %s', signature);
        exception when dependent_objects_still_exist then
            get stacked diagnostics detail = pg_exception_detail;
            return next;
        end;
    end loop;
end
$$;
