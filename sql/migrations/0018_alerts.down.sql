-- Forgets the rules of alerts, their state, and what was to be sent.
-- loses: alert_rules, alert_deliveries
drop table alert_deliveries;
drop table alert_rules;
