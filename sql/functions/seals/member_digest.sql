-- SHA-256 of a member row; see hourly_rows_digest.
create or replace function member_digest(bucket timestamptz, kind hourly_member, member text)
returns bytea
language sql stable parallel safe
as $$
    select sha256(convert_to(
        case
            -- Without the kind, so that seals from before there were other kinds still hold.
            when $2 = 'session' then json_build_array(m.microseconds, $3)
            else json_build_array(m.microseconds, $2, $3)
        end::text,
        'UTF8'
    ))
    from (select round(date_part('epoch', $1) * 1000000)::bigint as microseconds) as m
$$;
