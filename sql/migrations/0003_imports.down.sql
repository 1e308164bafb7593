-- Removes what imports remember: a file imported before with SHIFT_TO=now would then be stored again.
-- loses: import_shifts
drop table import_shifts;
