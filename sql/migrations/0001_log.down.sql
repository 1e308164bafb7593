-- Removes the log.
-- loses: events
drop table events;
drop table receipts;
drop table hour_ledger;
drop table log_heads;
drop function refuse_change();
