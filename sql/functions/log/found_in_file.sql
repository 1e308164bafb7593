-- The count and the digest of the events that the file of one kept hour of a shard holds, as the caller has read them
-- from the file into hours_from_files. Rows: one. Raises an exception when the caller has not, because an hour whose file
-- was not read must not count as empty.
create or replace function found_in_file(in_shard integer, in_hour timestamptz)
returns table (events bigint, position_sum numeric, digest_high numeric, digest_low numeric)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select h.events, h.position_sum, h.digest_high, h.digest_low
    from hours_from_files as h
    where h.shard = in_shard and h.hour = in_hour;
    if not found then
        raise exception 'hour % of shard % is kept in the archive, and its file was not read before', in_hour, in_shard
            using errcode = 'no_data_found';
    end if;
end
$$;
