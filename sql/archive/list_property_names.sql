-- The most frequent names at the top level of `properties`, in a sample of the rows to archive.
-- $step: a row whose position it divides is in the sample, $most: limit
-- Rows: at most $most, one per name (name, events), the most frequent first.
select name, count(*) as events
from (
    select unnest(json_keys(properties)) as name
    from archived
    where position % $step = 0
)
group by name
order by events desc, name
limit $most
