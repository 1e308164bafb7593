-- How many rules of alerts fire, and how many of their messages wait to be sent.
-- Rows: one (firing, waiting).
select
    (select count(*) from alert_rules as r where r.firing) as firing,
    (select count(*) from alert_deliveries as d where d.sent_at is null and d.gave_up_at is null) as waiting
