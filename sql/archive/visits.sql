-- What visits are like; see Visits in service/archive/measure_questions.py.
-- visits: session; bucket of its first event; duration, in microseconds, from its first event to its last; views, its page
-- views; others, its events that neither view nor leave a page
-- keys: session, key: the keys of visits, each once; none without a division
-- Rows: one per bucket, and one per bucket and key: bucket, whole, key (null for the whole), visits, views
--   bounces: visits with one page view and nothing else but that its page was left
--   median: of their durations, in seconds
with parts as (
    select true as whole, null::varchar as key, bucket, duration, views, others
    from visits
    union all
    select false, k.key, v.bucket, v.duration, v.views, v.others
    from visits as v
    join keys as k on k.session = v.session
)
select
    bucket, whole, key,
    count(*) as visits,
    sum(views)::bigint as views,
    count_if(views = 1 and others = 0) as bounces,
    median(duration) / 1e6 as median
from parts
group by bucket, whole, key;
