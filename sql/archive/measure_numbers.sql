-- How long numbers are, as they are stored and without sign, in the rows to archive that may hold long ones. An exact
-- number begins with NUL.
-- $pointers: of properties that are numbers, as JSON pointers
-- Rows: one per property with a value (place in $pointers, from 1; longest).
select place, max(length(ltrim(substring(value, 2), '-'))) as longest
from (
    select
        unnest(range(1, len($pointers::varchar[]) + 1)) as place,
        unnest(json_extract_string(with_exact_numbers(properties), $pointers)) as value
    from archived
    where long_numbers
)
where value is not null
group by place
