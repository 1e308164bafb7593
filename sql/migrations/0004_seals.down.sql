-- Removes the seals, which are all that is left of hours whose events are gone.
-- loses: hour_seals, retired_days
drop table shard_totals;
drop table retired_days;
drop table hour_seals;
drop table hourly_fills;
drop table hourly_documents;
