-- The size of the events.
-- Rows: one (bytes).
select sum(bytes_on_disk)
from system.parts
where database = 'bench' and active
