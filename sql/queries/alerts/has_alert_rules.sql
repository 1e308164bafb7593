-- Whether there is any rule of alerts.
-- Rows: one (any_rule).
select exists (select from alert_rules) as any_rule
