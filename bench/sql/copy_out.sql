-- The rows appended to the log since the last COPY, in the order of position.
-- Rows: none; writes them as text to the client.
copy (
    select e.*
    from events as e
    where e.position > (select coalesce(max(c.position), 0) from bench_copied as c)
    order by e.position
) to stdout
