-- The states that a proof can have, worst first.
create or replace function proof_states()
returns text[]
language sql immutable parallel safe
as $$
    select array['broken', 'damaged', 'drifted', 'open', 'verified', 'sealed']
$$;
