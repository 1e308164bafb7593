-- Records for how long events, rollups and rows are kept (R13). A longer retention is recorded only with `lengthen`, a
-- shorter one only with `shorten`; the first one always. Rows: one, the retention in force.
create or replace function record_retention(
    asked_event_days integer, asked_rollup_days integer, asked_log_days integer, lengthen boolean, shorten boolean
)
returns table (event_days integer, rollup_days integer, log_days integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    kept retention_in_force;
    newest date;
    oldest date;
begin
    select r.* into kept from retention_in_force as r for update;
    if kept.event_days is null then
        -- A log from before there was a record shows how long it was kept: it still has, or accepts, what is older.
        newest := (newest_received() at time zone 'UTC')::date;
        oldest := (select min(h.horizon) from log_heads as h where h.horizon > '-infinity') at time zone 'UTC';
        kept.log_days := asked_log_days;
        if newest - oldest > asked_log_days + 2 then
            kept.log_days := newest - oldest;
        end if;
        kept.event_days := asked_event_days;
        if newest - oldest > asked_event_days + 2 then
            kept.event_days := newest - oldest;
        end if;
        kept.rollup_days := greatest(
            asked_rollup_days,
            kept.event_days,
            (
                select newest - (min(l.hour) at time zone 'UTC')::date
                from hour_ledger as l
                having newest - (min(l.hour) at time zone 'UTC')::date > asked_rollup_days + 2
            )
        );
    end if;
    if asked_event_days > kept.event_days and lengthen or asked_event_days < kept.event_days and shorten then
        kept.event_days := asked_event_days;
    end if;
    if asked_rollup_days > kept.rollup_days and lengthen or asked_rollup_days < kept.rollup_days and shorten then
        kept.rollup_days := asked_rollup_days;
    end if;
    if asked_log_days > kept.log_days and lengthen or asked_log_days < kept.log_days and shorten then
        kept.log_days := asked_log_days;
    end if;
    kept.rollup_days := greatest(kept.event_days, kept.rollup_days);
    kept.log_days := least(kept.event_days, kept.log_days);
    update retention_in_force as r
    set event_days = kept.event_days, rollup_days = kept.rollup_days, log_days = kept.log_days
    where (r.event_days, r.rollup_days, r.log_days)
        is distinct from (kept.event_days, kept.rollup_days, kept.log_days);
    return query select r.event_days, r.rollup_days, r.log_days from retention_in_force as r;
end
$$;
