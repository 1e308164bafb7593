-- Makes a message for each target of a rule, and deletes messages of the rule that are older than 30 days at `moment`.
-- Returns how many messages it made.
create or replace function queue_deliveries(in_rule integer, targets text[], message jsonb, moment timestamptz)
returns bigint
language sql volatile
as $$
    with told as (
        insert into alert_deliveries (rule, target, message, created_at, next_at)
        select $1, t.target, $3, $4, $4
        from unnest($2) as t (target)
        returning delivery
    ),
    forgotten as (
        delete from alert_deliveries as d
        where d.rule = $1 and d.created_at < $4 - interval '30 days'
    )
    select count(*)
    from told
$$;
