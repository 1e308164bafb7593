-- While the log has few days, makes PostgreSQL plan the calling function's statements once for a connection. Such a plan
-- holds all days, and each call leaves out the days that it does not need. The caller has a clause `set plan_cache_mode`,
-- which takes this back at its end.
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
