-- Forgets the rules of alerts, their state, what was to be sent, and what workers said was wrong just now.
-- loses: alert_rules, alert_deliveries
drop table worker_reasons;
drop table alert_deliveries;
drop table alert_rules;
