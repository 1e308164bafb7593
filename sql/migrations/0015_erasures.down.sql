-- Forgets erasures and their tombstones. What was erased stays erased, but an outbox may bring it back. The chain has gaps
-- where the amendments were.
-- loses: erasures, erasing, erasure_steps, erased_days, erased_ids
drop trigger erased_events_are_witnessed on events;
drop function witness_erased();
-- Older releases do not know the term.
update shard_totals set compacted = compacted - erased;
alter table shard_totals drop column erased;
comment on table shard_totals is 'What each shard ever stored: with the receipts it is live + retired.';
drop table erased_ids;
drop table erased_days;
drop table erasure_steps;
drop table erasing;
drop table erasures;
alter table amendments disable trigger amendments_are_append_only;
delete from amendments where kind = 'erasure';
alter table amendments enable trigger amendments_are_append_only;
alter table amendments drop constraint "an amendment brings history or erases a person";
-- Those of newer kinds stay, because they are links of the chain.
alter table amendments add constraint "an amendment brings history" check (kind in ('history')) not valid;
comment on table amendments is 'What changed in days that were closed. A link of the shard''s chain of seals; the new seals of the hours follow it in the same transaction.';
comment on column amendments.kind is 'history: events came that are older than the horizon.';
comment on column amendments.hours is 'The hours that changed, oldest first: a list of {hour, before, after}. Both are {events, position_sum, digest_high, digest_low}: before by the seal that was in force, zeros without one; after by the seal that follows.';

create or replace function refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'Rollups are mended by rebuilding them from the log, never by changing the log.';
end
$$;
comment on function refuse_change() is 'Trigger that keeps the log append-only (R1).';
