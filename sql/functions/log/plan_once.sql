-- Lets PostgreSQL plan the statements of the calling function once per connection, while the log has at most 100 days.
-- Such a plan holds all days, and each call leaves out those that it does not need. With `hourledger.plan_each` on, each
-- call is planned for its own day, because a plan for all days cannot be made when the file of one of them is missing.
-- The calling function has a clause `set plan_cache_mode`, so the setting ends with the call.
create or replace function plan_once()
returns void
language plpgsql volatile
as $$
begin
    if current_setting('hourledger.plan_each', true) = 'on' then
        perform set_config('plan_cache_mode', 'force_custom_plan', true);
    elsif (select count(*) from log_days()) <= 100 then
        perform set_config('plan_cache_mode', 'force_generic_plan', true);
    end if;
end
$$;
