-- The name that a key has in an answer which names these keys and no others: of the rest (other). Without keys, all are named.
create or replace function named_key(key text, keys text[])
returns text
language sql immutable parallel safe
as $$
    select case when $1 is null or $2 is null or $1 = any ($2) then $1 else '(other)' end
$$;
