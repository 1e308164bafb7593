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
comment on column amendments.hours is 'The hours that changed, oldest first. Of history a list of {hour, before, after}: both are {events, position_sum, digest_high, digest_low}, before by the seal that was in force, zeros without one, after by the seal that follows. Of an erasure a list of {hour, events, commitment}: how many went, and the SHA-256 of nonce, before and after, which the certificate tells; or, where no events are kept, of {hour, members, rows_high, rows_low}: how many member rows got another name, and by how much the digest of the hour''s rows changed.';
