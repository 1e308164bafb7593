-- Whether new names of any kind were refused in a shard among events that may have timestamps from `since` on.
create or replace function has_refused_names(in_shard integer, since timestamptz)
returns boolean
language sql stable
as $$
    select exists (select from refused_names as r where r.shard = $1 and r.hour >= $2 - interval '25 hours')
$$;
