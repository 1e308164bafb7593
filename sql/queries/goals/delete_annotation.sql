-- Deletes an annotation of a site.
-- $1 site, $2 number of the annotation
-- Rows: one (annotation), none when there is no such annotation.
delete from annotations
where site = $1 and annotation = $2
returning annotation
