-- Takes messages that are due, the longest due first. Each may be taken again after a pause, which grows from a minute to
-- an hour: while it is being sent nobody else takes it. A message waits for the earlier ones of its rule and target. A
-- time far ahead is of a clock that was set back since.
-- $1 now, $2 how many at most
-- Rows: one per message (delivery, target, message as JSON text, attempts: this one counted, created_at, name: of the rule,
-- secret: of the rule).
with due as (
    select d.delivery
    from alert_deliveries as d
    where d.sent_at is null and d.gave_up_at is null and (d.next_at <= $1::timestamptz or d.next_at > $1 + interval '2 hours')
        and not exists (
            select
            from alert_deliveries as e
            where e.rule = d.rule and e.target = d.target and e.delivery < d.delivery
                and e.sent_at is null and e.gave_up_at is null
        )
    order by d.next_at, d.delivery
    limit $2
    for update skip locked
)

update alert_deliveries as d
set attempts = d.attempts + 1, next_at = $1 + least(interval '1 minute' * 2 ^ d.attempts, interval '1 hour')
from due as t, alert_rules as r
where d.delivery = t.delivery and r.rule = d.rule
returning d.delivery, d.target, d.message::text as message, d.attempts, d.created_at, r.name, r.secret
