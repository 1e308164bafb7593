-- What the numbers of a property are; see Numbers in service/archive/measure_questions.py.
-- numbers: one per event with the property: bucket; key, null without one; value, null when it is no number
-- Parameters: $divided, whether keys have rows of their own; $quantiles, whether to find the median and p90.
-- Rows: one per bucket, and one per bucket and key: bucket, whole, key (null for the whole), numbers, not_numbers
--   sum, minimum, maximum: decimals as text, null without numbers
--   median, p90: interpolated as doubles, null without numbers or unless asked for
with parts as (
    select true as whole, null::varchar as key, bucket, value
    from numbers
    union all
    select false, key, bucket, value
    from numbers
    where $divided and key is not null
)
select
    bucket, whole, key,
    count(value) as numbers,
    count(*) - count(value) as not_numbers,
    sum(value)::varchar as sum,
    min(value)::varchar as minimum,
    max(value)::varchar as maximum,
    quantile_cont(value::double, 0.5) filter ($quantiles) as median,
    quantile_cont(value::double, 0.9) filter ($quantiles) as p90
from parts
group by bucket, whole, key;
