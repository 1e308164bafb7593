-- Adds a link, unless there are $11 already.
-- $1 prefix, $2 SHA-256, $3 site, $4 label, $5 hours, or $6 since and $7 until, $8 filters as JSON text, $9 origins, $10 when
-- it expires, $11 the most links
-- Rows: one (prefix), none when there are too many.
insert into share_links (prefix, digest, site, label, hours, since, until, filters, origins, expires_at)
select $1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10
where (select count(*) from share_links) < $11
returning prefix
