-- Lets the role hourledger_bi, if there is one, read our views; see functions/grant_views.sql.
-- $1 names of the views, $2 names of our functions
-- Rows: one (granted: whether there is such a role).
select grant_views($1, $2) as granted
