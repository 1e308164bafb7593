-- Records that the weekly report of a rule was made, and makes its messages, in one statement: so each week is told once.
-- Nothing happens when a report of that week or a later one is there already, or when another worker has taken the rule
-- since. It also deletes messages of the rule that are older than 30 days.
-- $1 rule, $2 when it was taken, $3 the Monday, $4 message (JSON)
-- Rows: one (deliveries: how many messages were made).
with changed as (
    update alert_rules
    set reported_for = $3
    where rule = $1 and looked_at = $2::timestamptz and (reported_for is null or reported_for < $3)
    returning rule, targets
),

told as (
    insert into alert_deliveries (rule, target, message, created_at, next_at)
    select c.rule, t.target, $4::jsonb, $2, $2
    from changed as c
    cross join unnest(c.targets) as t (target)
    returning delivery
),

forgotten as (
    delete from alert_deliveries as d
    using changed as c
    where d.rule = c.rule and d.created_at < $2::timestamptz - interval '30 days'
)

select count(*) as deliveries
from told
