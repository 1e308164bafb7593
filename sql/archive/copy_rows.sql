-- Makes a table of the rows of PostgreSQL, because they are read several times. What memory cannot hold goes to disk.
-- Rows: none.
create table copied as select * from sent
