-- Deletes a rule of alerts, and its messages.
-- $1 name
-- Rows: one (rule), none when there is no rule of the name.
delete from alert_rules
where name = $1
returning rule
