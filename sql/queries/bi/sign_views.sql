-- Records the digest of the texts that our views were made of.
-- $1 digest in hex
-- Rows: one (signed: nothing).
select sign_views($1) as signed
