-- Lets PostgreSQL plan the statements of the calling function once per connection, while the log has at most 100 days.
-- Such a plan holds all days, and each call leaves out those that it does not need. The calling function has a clause
-- `set plan_cache_mode`, so the setting ends with the call.
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
