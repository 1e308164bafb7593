-- loses: annotations, goals
drop table annotations;
drop table goals;
