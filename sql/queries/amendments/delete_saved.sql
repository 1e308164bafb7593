-- Deletes segments, goals, share links and saved views that name the person of an erasure, and counts all but views in it.
-- $1 erasure, $2 names of segments, $3 prefixes of share links, $4 names of goals, $5 names of saved views
-- Rows: one (segments, goals, share_links: how many the erasure has deleted so far).
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
aimed as (
    delete from goals as g
    using erasures as e
    where e.erasure = $1 and g.site = e.site and g.name = any ($4::text[])
    returning g.name
),
viewed as (
    delete from saved_views as v
    using erasures as e
    where e.erasure = $1 and v.site = e.site and v.name = any ($5::text[])
)
update erasures as e
set
    segments = e.segments + (select count(*) from named),
    goals = e.goals + (select count(*) from aimed),
    share_links = e.share_links + (select count(*) from linked)
where e.erasure = $1
returning e.segments, e.goals, e.share_links
