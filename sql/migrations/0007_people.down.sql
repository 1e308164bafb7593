-- Counts sessions only again. Users of kept events can be recounted, but those of sealed hours cannot, and a seal that
-- covers users does not hold without them.
-- loses: hour_seals
delete from hourly_members where kind <> 'session';
alter table hourly_members drop constraint hourly_members_pkey;
drop index hourly_members_by_hour;
alter table hourly_members drop column kind;
alter table hourly_members rename column member to session_id;
alter table hourly_members rename to hourly_sessions;
alter table hourly_sessions add primary key (shard, version, session_id, bucket);
create index hourly_sessions_by_hour
on hourly_sessions (date_bin('1 hour', bucket, '2000-01-01 00:00:00+00'), shard, version);
comment on table hourly_sessions is 'Which sessions were active in which quarter of an hour.';
comment on column hourly_sessions.shard is 'Shard of the session.';
comment on column hourly_sessions.session_id is 'The session.';

delete from hourly_edges where kind <> 'session';
alter table hourly_edges drop constraint hourly_edges_pkey;
alter table hourly_edges drop column kind;
alter table hourly_edges rename column members to sessions;
alter table hourly_edges add primary key (shard, version, bucket, previous);
comment on table hourly_edges is 'How many sessions were active in bucket and last before that in previous. Distinct sessions of [a, b) are the sum where a <= bucket < b and previous < a.';
comment on column hourly_edges.shard is 'Shard of the sessions.';
comment on column hourly_edges.previous is 'Start of the quarter before in which the same sessions were active, -infinity if none.';
comment on column hourly_edges.sessions is 'Number of sessions.';

comment on column hour_seals.rows_high is 'Digest of the hour''s counts and session rows, first half.';
comment on column hour_seals.rows_low is 'Digest of the hour''s counts and session rows, second half.';

drop type hourly_member;
alter table shard_totals drop column people_since;
