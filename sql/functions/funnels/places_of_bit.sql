-- The places, from 1 and ascending, of the numbers that have the given bit set. Bits count from 1.
create or replace function places_of_bit(numbers integer[], place_of_bit integer)
returns integer[]
language sql immutable parallel safe
as $$
    select array_agg(n.place::integer order by n.place)
    from unnest($1) with ordinality as n (number, place)
    where n.number & (1 << ($2 - 1)) <> 0
$$;
