-- Seals hours of a day anew whose rollups changed while their events did not, behind an amendment that says why (R11). The
-- caller holds the checkpoints' locks, and has rebuilt the hours from their events in every version.
create or replace function reseal_hours(
    in_shard integer,
    in_version integer,
    in_day date,
    changed timestamptz[],
    in_kind text,
    in_reason text,
    in_asked_by text,
    in_code_version text,
    clock timestamptz
)
returns void
language plpgsql volatile
as $$
begin
    perform write_amendment(
        in_shard, in_day, in_kind, in_reason, in_asked_by,
        (
            select json_agg(
                json_build_object(
                    'hour', to_char(c.hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
                    'before', s.numbers,
                    'after', s.numbers
                )
                order by c.hour
            )
            from unnest(changed) as c (hour)
            cross join lateral (
                select sealed_numbers(l.events, l.position_sum, l.digest_high, l.digest_low) as numbers
                from seal_of(in_shard, c.hour) as l
            ) as s
        ),
        in_code_version, clock
    );
    perform write_seal(in_shard, in_version, c.hour, in_code_version, clock)
    from unnest(changed) with ordinality as c (hour, place)
    order by c.place;
end
$$;
