-- The rules of alerts, and how their messages go.
-- Rows: one per rule (rule, site, site_name, name, condition, targets, secret, created_at, firing, changed_at, found,
-- waiting: messages to send, failed: those given up, why: of the newest failed attempt of these), by name.
select
    r.rule, r.site, s.name as site_name, r.name, r.condition, r.targets, r.secret, r.created_at, r.firing, r.changed_at,
    r.found, d.waiting, d.failed, d.why
from alert_rules as r
join sites as s on s.site = r.site
cross join lateral (
    select
        count(*) filter (where d.gave_up_at is null) as waiting,
        count(*) filter (where d.gave_up_at is not null) as failed,
        (array_agg(d.why order by d.delivery desc) filter (where d.why is not null))[1] as why
    from alert_deliveries as d
    where d.rule = r.rule and d.sent_at is null
) as d
order by r.name
