-- The place of the next step in the sequence of a session or user: of the places where its events do what the step asks
-- for, ascending, the first after a place; strict: the very next one, or null.
create or replace function funnel_next(after integer, places integer[], strict boolean)
returns integer
language sql immutable parallel safe
as $$
    select case
        when $3 then nullif(greatest($2[width_bucket($1 + 1, $2)], $1), $1)
        else $2[width_bucket($1, $2) + 1]
    end
$$;
