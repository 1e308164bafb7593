-- Takes a reading of the clocks (R13). Time that nobody can prove does not count: within one start of a machine the time
-- advances by the seconds that passed, and over a restart by a day at most. `accept` takes the clocks as they are.
-- service: the clock of the reading process, or null; clock: null for the database's clock.
-- Rows: one, the time by which the horizon may move.
create or replace function advance_clock(
    in_boot text, in_seconds double precision, service timestamptz, clock timestamptz, accept boolean
)
returns timestamptz
language plpgsql volatile
as $$
declare
    last log_clock;
    newest timestamptz;
    reading constant timestamptz := coalesce(clock, clock_timestamp());
    agreed constant timestamptz := least(reading, service);
    passed interval;
begin
    select c.* into last from log_clock as c for update;
    begin
        newest := newest_received();
    exception
        -- One page that cannot be read must not stop retention. Only the first reading needs the newest event.
        when internal_error or system_error then
            if last.known_at is null and not accept then
                raise;
            end if;
    end;
    if last.known_at is null then
        -- A log from before there were readings: its newest event and its horizon tell how late it was.
        last.known_at := greatest(
            newest,
            (
                select max(h.horizon) + make_interval(hours => 24 * (r.log_days + 1))
                from log_heads as h, retention_in_force as r
                where h.horizon > '-infinity'
                group by r.log_days
            )
        );
    end if;
    if last.boot = in_boot then
        passed := make_interval(secs => greatest(in_seconds - last.boot_seconds, 0));
    end if;

    if accept or last.known_at is null or not exists (select from receipts) then  -- without events there is nothing to lose
        last.known_at := agreed;
        last.boot := in_boot;
        last.boot_seconds := in_seconds;
    elsif agreed >= last.known_at then
        last.known_at := case
            when passed is not null then least(agreed, last.known_at + passed)
            when agreed <= last.known_at + interval '24 hours' then agreed
            else last.known_at
        end;
        last.boot := in_boot;
        last.boot_seconds := in_seconds;
    end if;
    -- A clock that went back leaves the former reading as it is, so that it may come right by itself.

    update log_clock
    set known_at = last.known_at, boot = last.boot, boot_seconds = last.boot_seconds,
        read_at = reading, service_at = coalesce(service, reading), received_at = greatest(received_at, newest);
    return least(last.known_at, agreed);
end
$$;
