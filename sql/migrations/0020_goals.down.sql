-- loses: annotations, goals
alter table erasures drop column goals;
drop table annotations;
drop table goals;
