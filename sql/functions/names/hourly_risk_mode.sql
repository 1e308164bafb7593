-- The risk mode that an event counts toward: null when the event is no change of risk mode or names none; (other) when
-- the name is not a text of 1 to 128 characters.
create or replace function hourly_risk_mode(event_type text, properties jsonb)
returns text
language sql immutable parallel safe
as $$
    select case
        when $1 = 'risk_mode_changed' and $2 ? 'risk_mode' then
            case
                when jsonb_typeof($2 -> 'risk_mode') = 'string' and length($2 ->> 'risk_mode') between 1 and 128
                    then $2 ->> 'risk_mode'
                else '(other)'
            end
    end
$$;
