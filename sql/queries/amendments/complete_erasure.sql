-- Completes an erasure: its certificate is made, and the database forgets the ids and what only the certificate tells.
-- $1 erasure, $2 certificate, $3 events, $4 previous hash, $5 hash, $6 time
-- Rows: one (erasure).
with told as (
    update erasure_steps as s set numbers = null where s.erasure = $1
),
forgotten as (
    delete from erasing as t where t.erasure = $1
)
update erasures as e
set certificate = $2, events = $3, previous_hash = $4, hash = $5, completed_at = $6
where e.erasure = $1 and e.completed_at is null
returning e.erasure
