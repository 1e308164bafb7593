-- Gives a site another name.
-- $1 name, $2 new name
-- Rows: one (site), none when there is no site of the name.
update sites set name = $2
where name = $1
returning site
