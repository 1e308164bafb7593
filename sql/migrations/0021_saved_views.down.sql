-- Removes the saved views.
-- loses: saved_views
drop table saved_views;
