-- The links, also those that have expired.
-- Rows: one per link (prefix, digest, site, site_name, label, hours, since, until, filters as JSON text, origins,
-- created_at, expires_at), the newest first.
select
    l.prefix, l.digest, l.site, s.name as site_name, l.label, l.hours, l.since, l.until, l.filters::text as filters,
    l.origins, l.created_at, l.expires_at
from share_links as l
join sites as s on s.site = l.site
order by l.created_at desc, l.prefix
