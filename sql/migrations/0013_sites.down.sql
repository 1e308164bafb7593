-- Forgets the sites. Their shards stay and become shards of the one site, whose numbers then count the events of all. The
-- segments of other sites are deleted.
-- loses: added_sites
delete from segments where site <> 0;
alter table segments drop constraint segments_pkey;
alter table segments drop column site;
alter table segments add primary key (name);
drop view added_sites;
drop table access_state;
drop table site_shards;
drop table sites;
drop function raise_access_version();
