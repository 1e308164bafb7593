-- Deletes segments, share links and saved views that name the person of an erasure, and counts segments and links in it.
-- $1 erasure, $2 names of segments, $3 prefixes of share links, $4 names of saved views
-- Rows: one (segments, share_links: how many the erasure has deleted so far).
with named as (
    delete from segments as s
    using erasures as e
    where e.erasure = $1 and s.site = e.site and s.name = any ($2::text[])
    returning s.name
),
linked as (
    delete from share_links as l
    using erasures as e
    where e.erasure = $1 and l.site = e.site and l.prefix = any ($3::text[])
    returning l.prefix
),
viewed as (
    delete from saved_views as v
    using erasures as e
    where e.erasure = $1 and v.site = e.site and v.name = any ($4::text[])
)
update erasures as e
set
    segments = e.segments + (select count(*) from named),
    share_links = e.share_links + (select count(*) from linked)
where e.erasure = $1
returning e.segments, e.share_links
