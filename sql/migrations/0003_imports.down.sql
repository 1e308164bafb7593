-- Removes the shifts that imports recorded: importing a file with SHIFT_TO=now again would then store its events twice.
-- loses: import_shifts
drop table import_shifts;
