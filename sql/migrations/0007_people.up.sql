-- Users beside sessions: one table of members of every kind, active in a quarter of an hour, and edges of each kind.

create type hourly_member as enum ('session', 'user', 'identified');
comment on type hourly_member is 'What the projection hourly counts distinct ones of. identified: sessions, in the quarters in which they had an event with a user.';

alter table hourly_sessions rename to hourly_members;
alter table hourly_members rename column session_id to member;
alter table hourly_members add column kind hourly_member not null default 'session';
alter table hourly_members alter column kind drop default;
alter table hourly_members drop constraint hourly_sessions_pkey;
alter table hourly_members add primary key (shard, version, kind, member, bucket);
drop index hourly_sessions_by_hour;
-- The hour leads, against the habit of shard first: before the table has been analyzed, an index that begins like the
-- primary key would tempt the planner to look for one member's neighbours among those of all members.
create index hourly_members_by_hour
on hourly_members (date_bin('1 hour', bucket, '2000-01-01 00:00:00+00'), shard, version, kind);
comment on table hourly_members is 'Which sessions and users were active in which quarter of an hour.';
comment on column hourly_members.shard is 'Shard of the events.';
comment on column hourly_members.kind is 'What the member is.';
comment on column hourly_members.member is 'The session, or the user.';

alter table hourly_edges rename column sessions to members;
alter table hourly_edges add column kind hourly_member not null default 'session';
alter table hourly_edges alter column kind drop default;
alter table hourly_edges drop constraint hourly_edges_pkey;
alter table hourly_edges add primary key (shard, version, kind, bucket, previous);
comment on table hourly_edges is 'How many members of a kind were active in bucket and last before that in previous. Distinct ones of [a, b) are the sum where a <= bucket < b and previous < a.';
comment on column hourly_edges.shard is 'Shard of the events.';
comment on column hourly_edges.kind is 'What the members are.';
comment on column hourly_edges.previous is 'Start of the quarter before in which the same members were active, -infinity if none.';
comment on column hourly_edges.members is 'Number of members.';

comment on column hour_seals.rows_high is 'Digest of the hour''s counts and member rows, first half.';
comment on column hour_seals.rows_low is 'Digest of the hour''s counts and member rows, second half.';

alter table shard_totals add column people_since timestamptz not null default '-infinity';
comment on column shard_totals.people_since is 'Users and identified sessions of hours before are not known: some were sealed before these were counted.';

-- Sealed hours stay as they were sealed, so users are counted from the day after the newest seal. A whole day, because
-- events are dropped by the day, so that shards tend to agree.
update shard_totals as t
set people_since = sealed.until
from (
    select s.shard, date_trunc('day', max(s.hour), 'UTC') + interval '24 hours' as until
    from hour_seals as s
    group by s.shard
) as sealed
where sealed.shard = t.shard;

insert into hourly_members (shard, version, bucket, kind, member)
select distinct
    c.shard, c.version, date_bin('15 minutes', e.timestamp, '2000-01-01 00:00:00+00') as bucket, a.kind, a.member
from checkpoints as c
join shard_totals as t on t.shard = c.shard
join events as e on e.shard = c.shard and e.position <= c.position and e.timestamp >= t.people_since
cross join lateral (
    values ('user'::hourly_member, e.user_id), ('identified', e.session_id)
) as a (kind, member)
where c.projection = 'hourly' and e.user_id is not null
    -- A rebuild under way fills its other hours later.
    and (
        c.stage <> 'filling'
        or exists (
            select from hourly_fills as f
            where f.shard = c.shard and f.version = c.version
                and f.hour = date_bin('1 hour', e.timestamp, '2000-01-01 00:00:00+00')
        )
    )
order by c.shard, c.version, a.kind, a.member, bucket;

insert into hourly_edges (shard, version, kind, bucket, previous, members)
select chain.shard, chain.version, chain.kind, chain.bucket, chain.previous, count(*)
from (
    select
        m.shard, m.version, m.kind, m.bucket,
        coalesce(
            lag(m.bucket) over (partition by m.shard, m.version, m.kind, m.member order by m.bucket), '-infinity'
        ) as previous
    from hourly_members as m
    where m.kind <> 'session'
) as chain
-- A version that is being filled gets its edges when the filling ends.
where not exists (
    select from checkpoints as c
    where c.shard = chain.shard and c.projection = 'hourly' and c.version = chain.version and c.stage = 'filling'
)
group by chain.shard, chain.version, chain.kind, chain.bucket, chain.previous;
