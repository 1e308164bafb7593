-- Start of the quarter of an hour (UTC) of a moment: the moment's bucket in a projection.
create or replace function quarter_of(moment timestamptz)
returns timestamptz
language sql immutable parallel safe
as $$
    select date_bin('15 minutes', $1, '2000-01-01 00:00:00+00')
$$;
