-- Whether a name counts under itself however many new ones come, because the product's own numbers count by it: page views
-- would be 0 otherwise, if a site's first came during a flood. service/questions/page_events.py has the same names.
create or replace function counts_always(kind text, name text)
returns boolean
language sql immutable parallel safe
as $$
    select $1 = 'event_type' and $2 in ('page_viewed', 'page_left')
$$;
