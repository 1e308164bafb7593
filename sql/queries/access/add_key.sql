-- Adds a key.
-- $1 prefix, $2 SHA-256 of the key, $3 kind, $4 site (null for all sites), $5 label, $6 expires at (null: without end)
-- Rows: one (prefix).
insert into keys (prefix, digest, kind, site, label, expires_at)
values ($1, $2, $3, $4, $5, $6)
returning prefix
