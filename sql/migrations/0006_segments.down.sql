-- Removes the saved segments.
-- loses: segments
drop table segments;
