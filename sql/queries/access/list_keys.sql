-- All keys, also those that are revoked or expired.
-- Rows: one per key (prefix, digest, kind, site: null for all sites, site_name: null for all sites, label, created_at,
-- expires_at, revoked_at, last_used_at), the oldest first.
select
    k.prefix, k.digest, k.kind, k.site, s.name as site_name, k.label, k.created_at, k.expires_at, k.revoked_at,
    k.last_used_at
from keys as k
left join sites as s on s.site = k.site
order by k.created_at, k.prefix
