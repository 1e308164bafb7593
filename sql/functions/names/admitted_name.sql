-- A name if it was admitted by a position, else (other); null for null.
create or replace function admitted_name(in_shard integer, in_kind text, in_name text, in_position bigint)
returns text
language sql stable
as $$
    select case
        when $3 is null or exists (
            select
            from admitted_names as a
            where a.shard = $1 and a.kind = $2 and a.name = $3 and a.position <= $4
        ) then $3
        else '(other)'
    end
$$;
