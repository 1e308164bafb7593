-- Begins an erasure, or goes on with the one of the same person that is not completed.
-- $1 site, $2 kind, $3 subject, $4 mode, $5 sessions, $6 clock or null
-- Rows: one (erasure, mode, sessions: as it was begun).
with pending as (
    select e.erasure, e.mode, e.sessions
    from erasures as e
    where e.site = $1 and e.kind = $2 and e.subject = $3 and e.completed_at is null
),
begun as (
    insert into erasures (erasure, site, kind, subject, mode, sessions, requested_at)
    select
        coalesce((select max(e.erasure) from erasures as e), 0) + 1, $1, $2, $3, $4, $5,
        coalesce($6::timestamptz, clock_timestamp())
    where not exists (select from pending)
    returning erasure, mode, sessions
)
select erasure, mode, sessions from pending
union all
select erasure, mode, sessions from begun
