-- Lets the statements of the function that calls it be planned once for all calls of a connection, while the log's days are
-- few: such a plan holds all of them, and leaves out those that a call does not mean when it begins. The caller has a
-- clause `set plan_cache_mode`, which ends this with it.
create or replace function plan_once()
returns void
language plpgsql volatile
as $$
begin
    if (select count(*) from log_days()) <= 100 then
        perform set_config('plan_cache_mode', 'force_generic_plan', true);
    end if;
end
$$;
