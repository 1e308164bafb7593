-- The erasures.
-- Rows: one per erasure (erasure, site_name, kind, subject, mode, sessions, requested_at, completed_at, certificate, events,
-- previous_hash, hash), oldest first.
select
    e.erasure, s.name as site_name, e.kind, e.subject, e.mode, e.sessions, e.requested_at, e.completed_at, e.certificate,
    e.events, e.previous_hash, e.hash
from erasures as e
join sites as s on s.site = e.site
order by e.erasure
