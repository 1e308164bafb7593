-- The names of functions that older releases had and this one has not; see drop_old_functions.
create or replace function former_functions()
returns text[]
language sql immutable parallel safe
as $$
    select array[
        'cohorts_from_events', 'event_fields', 'event_key', 'event_matches', 'funnel_next', 'funnel_places',
        'funnel_steps', 'is_any_funnel_step', 'is_funnel_step', 'places_of_bit', 'read_funnel', 'read_properties',
        'scalar_text', 'scalar_value', 'trend_from_events', 'trend_keys'
    ]
$$;
