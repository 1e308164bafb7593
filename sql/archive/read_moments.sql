-- The moments of some events.
-- moments: moment, in microseconds since 1970
-- Rows: one (events; first and last: null without events).
select count(*) as events, min(moment) as first, max(moment) as last
from moments;
