-- Limits the logins that read the schema bi; see functions/bi/limit_bi_logins.sql.
-- Rows: one per login that we may not limit (unlimited).
select l.unlimited from limit_bi_logins() as l
