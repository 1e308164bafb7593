-- Makes the schema bi if it does not exist, and reads which files its views were made from; see
-- functions/bi/open_views.sql.
-- $1 names of the views
-- Rows: one (made_of: a digest in hex, '' when unknown, null when we may not use the schema).
select open_views($1) as made_of
