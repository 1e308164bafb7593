-- Takes the rules that no worker has looked at lately, so that one worker looks at each. A time ahead of now is of a clock
-- that was set back since.
-- $1 now, $2 the pause between two looks
-- Rows: one per rule (rule, site, name, condition, targets, created_at, looked_at: $1, firing, changed_at, reported_for).
with due as (
    select r.rule
    from alert_rules as r
    where r.looked_at is null or r.looked_at <= $1::timestamptz - $2::interval or r.looked_at > $1 + $2
    order by r.rule
    for update skip locked
)

update alert_rules as r
set looked_at = $1
from due as d
where r.rule = d.rule
returning
    r.rule, r.site, r.name, r.condition, r.targets, r.created_at, r.looked_at, r.firing, r.changed_at, r.reported_for
