-- The kinds of member rows that name what is erased: a user, or a session.
create or replace function members_of(kind text)
returns hourly_member[]
language sql immutable parallel safe
as $$
    select case $1 when 'user' then array['user']::hourly_member[] else array['session', 'identified']::hourly_member[] end
$$;
