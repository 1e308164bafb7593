-- The place of the next step in an actor's sequence of events: the first of `places` that comes after `after`, or null.
-- `places` are the places of events that may be the step, ascending. With `strict`, only the very next place will do.
create or replace function funnel_next(after integer, places integer[], strict boolean)
returns integer
language sql immutable parallel safe
as $$
    select case
        when $3 then nullif(greatest($2[width_bucket($1 + 1, $2)], $1), $1)
        else $2[width_bucket($1, $2) + 1]
    end
$$;
