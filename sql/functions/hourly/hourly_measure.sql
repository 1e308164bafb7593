-- The measure that counts the distinct members of a kind.
create or replace function hourly_measure(kind hourly_member)
returns text
language sql immutable parallel safe
as $$
    select case $1 when 'session' then 'sessions' when 'user' then 'users' when 'identified' then 'identified' end
$$;
