-- Lets the role hourledger_bi, if it exists, read our views; see functions/bi/grant_views.sql.
-- $1 names of the views, $2 names of our functions
-- Rows: one (granted: whether the role exists).
select grant_views($1, $2) as granted
