-- Removes the projection. Hours whose raw events are kept can be regenerated.
-- loses: hourly_counts, hour_proofs
drop table hour_proofs;
drop table hourly_edges;
drop table hourly_sessions;
drop table hourly_counts;
drop type hourly_dimension;
drop table checkpoints;
drop table projections;
