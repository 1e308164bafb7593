-- The states of a proof that failed, worst first: the first ones of proof_states.
create or replace function failed_states()
returns text[]
language sql immutable parallel safe
as $$
    select array['broken', 'damaged', 'drifted']
$$;
