-- Eight bytes of a digest, from the given byte (1 or 9), as a signed integer, so that they can be summed.
create or replace function digest_half(digest bytea, first_byte integer)
returns bigint
language sql immutable parallel safe
as $$
    select ('x' || encode(substr($1, $2, 8), 'hex'))::bit(64)::bigint
$$;
