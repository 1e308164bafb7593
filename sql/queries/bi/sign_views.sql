-- Records which files our views were made from.
-- $1 digest in hex
-- Rows: one (signed: empty).
select sign_views($1) as signed
