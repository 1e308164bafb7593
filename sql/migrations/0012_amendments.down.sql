-- Forgets amendments. The chain has gaps where they were, and hours that were amended keep their newest seal alone.
-- loses: amendments, opened_days
drop table opened_days;
drop table amendments;
alter table hour_seals disable trigger seals_are_append_only;
delete from hour_seals as s
where exists (select from hour_seals as later where later.shard = s.shard and later.hour = s.hour and later.sequence > s.sequence);
alter table hour_seals enable trigger seals_are_append_only;
drop index hour_seals_by_hour;
alter table hour_seals add constraint hour_seals_shard_hour_key unique (shard, hour);
comment on table hour_seals is 'What was proven of each hour before its events were dropped. One chain per shard: each seal holds the hash of the one before.';
comment on column hour_seals.previous_hash is 'Hash of the seal before; 32 zero bytes for the first.';

create or replace function refuse_retired_change() returns trigger
language plpgsql as $$
begin
    if tg_op = 'DELETE' and exists (
        select from leaving_days as l where l.day = old.day and l.stage = 'detached'
    ) then
        return old;
    end if;
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'A retired day comes back only by undrop, while its events are still detached.';
end
$$;
comment on function refuse_retired_change() is 'Trigger that keeps the records of retired days, unless the day is brought back (R13).';
