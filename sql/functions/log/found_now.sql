-- The count and the digest of the raw events of one hour of a shard: in the log, or in the hour's file when its day is
-- kept. Rows: one, zeros when the hour is empty.
create or replace function found_now(in_shard integer, in_hour timestamptz)
returns table (events bigint, position_sum numeric, digest_high numeric, digest_low numeric)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    if is_kept((in_hour at time zone 'UTC')::date) then
        return query
        select f.events, f.position_sum, f.digest_high, f.digest_low from found_in_file(in_shard, in_hour) as f;
    else
        return query
        select f.events, f.position_sum, f.digest_high, f.digest_low from found_in_log(in_shard, in_hour) as f;
    end if;
end
$$;
