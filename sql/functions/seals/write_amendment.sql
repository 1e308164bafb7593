-- Adds an amendment to a shard's chain (R11). The caller holds the checkpoints' locks, and knows what changed in the hours: see
-- the comment of amendments.hours.
create or replace function write_amendment(
    in_shard integer,
    in_day date,
    in_kind text,
    in_reason text,
    in_asked_by text,
    in_hours json,
    in_code_version text,
    clock timestamptz
)
returns void
language plpgsql volatile
as $$
declare
    link amendments;
begin
    select l.sequence, l.previous_hash into link.sequence, link.previous_hash from next_link(in_shard) as l;
    link.shard := in_shard;
    link.day := in_day;
    link.kind := in_kind;
    link.reason := in_reason;
    link.asked_by := in_asked_by;
    link.hours := in_hours;
    link.code_version := in_code_version;
    link.amended_at := coalesce(clock, clock_timestamp());
    link.hash := amendment_hash(link);
    insert into amendments select link.*;
end
$$;
