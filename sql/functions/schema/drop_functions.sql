-- Drops the functions with the given names in the current schema, itself last. Rows: one, how many were dropped.
create or replace function drop_functions(names text[])
returns integer
language plpgsql volatile
as $$
declare
    function record;
    dropped integer := 0;
begin
    for function in
        select p.oid::regprocedure as signature
        from pg_proc as p
        where p.proname = any (names) and p.pronamespace = current_schema()::regnamespace
        order by p.proname = 'drop_functions'
    loop
        -- No cascade, because it would also drop what a user built on the function.
        execute format('drop function %s', function.signature);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;
