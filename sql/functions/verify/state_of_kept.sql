-- The state of a kept hour: of its last proof, and of what is known of its file, which is proven more often.
-- differences: what the last proof found wrong, or null. wrong, proven_at: of kept_hours
create or replace function state_of_kept(
    proof_state text, verified_at timestamptz, differences json, wrong text, proven_at timestamptz
)
returns text
language sql immutable parallel safe
as $$
    select case
        when $1 = 'broken' then $1
        when $4 is not null then 'damaged'
        -- The file may have come back since. The projector has proven it then.
        when $1 = 'damaged' and $2 < $5 and $3 #>> '{named,0,field}' = 'archive_file' then 'sealed'
        when $1 = any (failed_states()) then $1
        else 'sealed'
    end
$$;
