-- The risk mode that an event counts under; see hourly_risk_mode.sql and counted_name.sql. It takes no risk mode, because
-- PostgreSQL would not inline a function that uses a costly argument twice.
create or replace function counted_risk_mode(
    refused int8multirange, in_shard integer, event_type text, properties jsonb, in_position bigint
)
returns text
language sql stable
as $$
    select case
        when $1 @> $5 then admitted_name($2, 'risk_mode', hourly_risk_mode($3, $4), $5)
        else hourly_risk_mode($3, $4)
    end
$$;
