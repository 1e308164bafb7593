-- Puts back the documents that set_documents_aside.sql set aside, except those that a projector has written again
-- meanwhile.
-- Rows: none.
with aside as (
    delete from hourly_documents
    where version < 0
    returning shard, version, hour, document, events, sessions, keys
)
insert into hourly_documents (shard, version, hour, document, events, sessions, keys)
select a.shard, -a.version, a.hour, a.document, a.events, a.sessions, a.keys
from aside as a
on conflict (shard, version, hour) do nothing
