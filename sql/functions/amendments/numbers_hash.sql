-- The commitment to what an hour had before and after a step of an erasure: SHA-256 of nonce, before and after, one line
-- each. Without the certificate, which tells them, it gives nothing to guess with.
create or replace function numbers_hash(nonce text, before text, after text)
returns text
language sql immutable parallel safe
as $$
    select encode(sha256(convert_to(concat_ws(chr(10), $1, $2, $3), 'UTF8')), 'hex')
$$;
