-- Makes the schema bi, or reads which texts its views were made of; see functions/bi/open_views.sql.
-- $1 names of the views
-- Rows: one (made_of: a digest in hex, '' when unknown, null when there is no schema for them).
select open_views($1) as made_of
