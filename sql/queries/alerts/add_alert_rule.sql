-- Adds a rule of alerts.
-- $1 site, $2 name, $3 condition, $4 targets, $5 secret, $6 how many rules there may be
-- Rows: one (rule), none when there would be more than $6.
insert into alert_rules (site, name, condition, targets, secret)
select $1, $2, $3, $4, $5
where (select count(*) from alert_rules) < $6
returning rule
