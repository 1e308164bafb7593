-- Records how an attempt to send a message ended. Nothing happens when another worker has taken the message since.
-- $1 message, $2 number of the attempt, $3 why it failed (null: it was sent), $4 now, $5 how many attempts a message has
-- Rows: one (gave_up: whether it is given up now), none when another worker has taken it.
update alert_deliveries
set
    sent_at = case when $3::text is null then $4::timestamptz end,
    gave_up_at = case when $3::text is not null and attempts >= $5 then $4::timestamptz end,
    why = $3
where delivery = $1 and attempts = $2 and sent_at is null and gave_up_at is null
returning gave_up_at is not null as gave_up
