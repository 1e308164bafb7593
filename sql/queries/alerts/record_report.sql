-- Records that the weekly report of a rule was made, and makes its messages, in one statement: so each week is told once.
-- Nothing happens when a report of that week or a later one is there already, or when another worker has taken the rule
-- since.
-- $1 rule, $2 when it was taken, $3 the Monday, $4 message (JSON)
-- Rows: one (deliveries: how many messages were made).
with changed as (
    update alert_rules
    set reported_for = $3
    where rule = $1 and looked_at = $2::timestamptz and (reported_for is null or reported_for < $3)
    returning rule, targets
)

select coalesce(sum(queue_deliveries(c.rule, c.targets, $4::jsonb, $2)), 0)::bigint as deliveries
from changed as c
