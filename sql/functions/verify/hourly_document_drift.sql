-- Where the document of one hour differs from its rows. Rows: one when it differs (key: the fields that do), none when
-- it is right or there is no document.
create or replace function hourly_document_drift(in_shard integer, in_version integer, in_hour timestamptz)
returns table (field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language sql stable
as $$
    select
        'document', $3,
        (
            select string_agg(k.name, ', ' order by k.name)
            from json_object_keys(r.document) as k (name)
            where (d.document -> k.name)::text is distinct from (r.document -> k.name)::text
        ),
        d.events::numeric, r.events::numeric
    from hourly_documents as d
    cross join hourly_rollup($1, $2, $3) as r
    where d.shard = $1 and d.version = $2 and d.hour = $3
        and (d.document::text, d.events, d.sessions, d.keys) is distinct from (r.document::text, r.events, r.sessions, r.keys)
$$;
