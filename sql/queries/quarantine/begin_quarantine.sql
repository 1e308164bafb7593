-- Records a quarantine, unless there is the same one that is not lifted.
-- $1 shards, $2 since, $3 until, $4 condition, $5 conditions, $6 of_fields, $7 of_properties, $8 operands, $9 reason,
-- $10 asked_by
-- Rows: one (number).
with same as (
    select q.number
    from quarantines as q
    where q.lifted_at is null and (q.shards, q.since, q.until, q.condition) = ($1::integer[], $2, $3, $4::text)
),
made as (
    insert into quarantines (
        shards, since, until, condition, conditions, of_fields, of_properties, operands, reason, asked_by
    )
    select $1::integer[], $2, $3, $4, $5::text::json, $6::text::jsonpath, $7::text::jsonpath, $8::text::jsonb, $9, $10
    where not exists (select from same)
    returning number
)
select number from same
union all
select number from made
order by number
limit 1
