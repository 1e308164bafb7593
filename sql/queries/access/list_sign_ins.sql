-- The sign-ins that have not expired.
-- Rows: one per sign-in (prefix, digest, key: null for the read token, site: of the key, null for all sites, label: of the
-- key, kind: of the key, created_at, expires_at), the newest first.
select s.prefix, s.digest, s.key, k.site, k.label, k.kind, s.created_at, s.expires_at
from sign_ins as s
left join keys as k on k.prefix = s.key
where s.expires_at > clock_timestamp()
order by s.created_at desc, s.prefix
