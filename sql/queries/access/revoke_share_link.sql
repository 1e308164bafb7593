-- Deletes a link: whoever has it sees nothing any more.
-- $1 prefix
-- Rows: one (prefix), none when there is no such link.
delete from share_links
where prefix = $1
returning prefix
