-- Ends the appends to a day that is open for history, and waits for those under way. Rows: one, false when the day is not
-- open for history.
create or replace function shut_day(in_day date)
returns boolean
language plpgsql volatile
as $$
begin
    update opened_days as o set stage = 'closing' where o.day = in_day;
    return found;
end
$$;
