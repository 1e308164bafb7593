-- Lets only one process at a time change the schema, until the transaction ends. Readers of the table do not wait.
-- No advisory lock: every role that may connect could take that, and hold it for ever.
-- Rows: none.
lock table schema_migrations in share row exclusive mode
