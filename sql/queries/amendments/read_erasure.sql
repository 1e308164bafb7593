-- An erasure, and what comes before its certificate.
-- $1 erasure
-- Rows: one (kind, subject, mode, sessions, requested_at, completed_at, site, segments, goals, share_links, next_certificate,
-- previous_hash, now).
select
    e.kind, e.subject, e.mode, e.sessions, e.requested_at, e.completed_at, e.site, e.segments, e.goals,
    e.share_links,
    coalesce(newest.certificate, 0) + 1 as next_certificate,
    coalesce(newest.hash, decode(repeat('00', 32), 'hex')) as previous_hash,
    clock_timestamp() as now
from erasures as e
left join (
    select n.certificate, n.hash from erasures as n where n.certificate is not null order by n.certificate desc limit 1
) as newest on true
where e.erasure = $1
