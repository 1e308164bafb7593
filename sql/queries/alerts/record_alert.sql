-- Records that a rule fires, or has recovered, and makes the messages about it, in one statement: so each change is told
-- once. Nothing happens when that is so already, or when another worker has taken the rule since.
-- $1 rule, $2 when it was taken, $3 firing, $4 what was found, $5 message (JSON)
-- Rows: one (deliveries: how many messages were made).
with changed as (
    update alert_rules
    set firing = $3, changed_at = $2, found = $4
    where rule = $1 and looked_at = $2::timestamptz and firing <> $3
    returning rule, targets
)

select coalesce(sum(queue_deliveries(c.rule, c.targets, $5::jsonb, $2)), 0)::bigint as deliveries
from changed as c
