-- Forgets which names were admitted; a step up admits again those that the rollups have. Numbers that count refused names under
-- (other) would be wrong for an older release.
do $$
begin
    if exists (select from refused_names) then
        raise exception 'new names were refused, and an older release would not count their events under (other)'
            using errcode = 'restrict_violation',
                  hint = 'Restore the backup of before the upgrade, or stay with this release.';
    end if;
end
$$;
drop table refused_names;
drop table admitted_names;
drop function refuse_other_names();
