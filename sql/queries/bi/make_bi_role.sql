-- Makes the role that reads our views, and a login that is a member of it; see functions/bi/make_bi_role.sql.
-- $1 name of the login, or null for none, $2 its password
-- Rows: one (made: false when another role has the name).
select make_bi_role($1, $2) as made
