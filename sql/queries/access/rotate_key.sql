-- Adds a key of the same kind, site, label and lifetime as an older one, and lets the older one expire soon.
-- $1 prefix of the older one, $2 prefix and $3 SHA-256 of the new one, $4 how long the older one stays valid at most
-- Rows: one (prefix, kind, site, older_expires_at), none when the older one is unknown, revoked or expired.
with older as (
    update keys as k
    set expires_at = least(k.expires_at, clock_timestamp() + $4)
    from keys as before
    where k.prefix = $1 and before.prefix = k.prefix
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
    returning k.kind, k.site, k.label, k.expires_at, before.expires_at - before.created_at as lifetime
),

newer as (
    insert into keys (prefix, digest, kind, site, label, expires_at)
    select $2, $3, o.kind, o.site, o.label, clock_timestamp() + o.lifetime from older as o
    returning prefix, kind, site
)

select n.prefix, n.kind, n.site, o.expires_at as older_expires_at
from newer as n
cross join older as o
