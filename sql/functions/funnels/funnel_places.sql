-- The places of an actor's events, from 1 and ascending, that may be a step of a funnel.
-- may_be: the result of funnel_steps for each event; several: whether any event may be more than one step.
create or replace function funnel_places(may_be integer[], several boolean, step integer)
returns integer[]
language sql immutable parallel safe
as $$
    select case when $2 then places_of_bit($1, $3) else array_positions($1, 1 << ($3 - 1)) end
$$;
