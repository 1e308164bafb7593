-- Forgets quarantines. Lift those in force first: without their definitions the numbers would be wrong.
-- loses: quarantines
do $$
begin
    if exists (select from quarantined_days) then
        raise exception 'quarantines are in force, and an older release does not know them'
            using errcode = 'restrict_violation',
                  hint = 'Lift each with python -m service quarantine --lift NUMBER.';
    end if;
end
$$;
drop table quarantined_days;
drop table quarantines;
drop function refuse_other_definition();
-- Amendments are links of the chain, so those of newer kinds stay.
alter table amendments drop constraint "an amendment has a known kind";
alter table amendments add constraint "an amendment brings history or erases a person"
    check (kind in ('history', 'erasure')) not valid;
comment on column amendments.kind is 'history: events came that are older than the horizon; erasure: those of a person went.';
