-- Adds an annotation to a site.
-- $1 site, $2 when, $3 text, $4 how many annotations the site may have
-- Rows: one (annotation, at, text, created_at), none when there would be more than $4.
insert into annotations (site, at, text)
select $1, $2, $3
where (select count(*) from annotations where site = $1) < $4
returning annotation, at, text, created_at
