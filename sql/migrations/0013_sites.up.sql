-- Sites: each has shards of its own (R12). A log of before is the default site's, with all its shards.

create table sites (
    site integer constraint "a site is not negative" check (site >= 0),
    name text collate "C" not null
        constraint "a name of a site is short and plain" check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$')
        constraint "a site has a name of its own" unique,
    time_zone text not null default 'UTC',
    origins text[] not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    retired_at timestamptz
        constraint "the default site is not retired" check (site <> 0 or retired_at is null),
    primary key (site)
);
comment on table sites is 'The sites. Site 0 is the default one: it is always there, and requests that name no site mean it.';
comment on column sites.site is 'Number of the site, from 0. It never changes.';
comment on column sites.name is 'Name of the site, which people may change.';
comment on column sites.time_zone is 'Time zone in which people look at the site, an IANA name.';
comment on column sites.origins is 'Origins of the site''s own pages, as browsers send them.';
comment on column sites.created_at is 'When the site was added, by the database''s clock.';
comment on column sites.retired_at is 'Since when it takes no events. Null while it does.';

create table site_shards (
    shard integer not null references log_heads (shard),
    site integer not null references sites (site),
    primary key (shard)
);
comment on table site_shards is 'Which site each shard belongs to. No other table of the log knows sites (R12).';
comment on column site_shards.shard is 'Shard of the log.';
comment on column site_shards.site is 'The site. The shards of a site never change, because a session''s shard depends on their number.';

create table access_state (
    only_row boolean not null default true primary key constraint "access has one state" check (only_row),
    version bigint not null default 0
);
comment on table access_state is 'Tells processes when to read the sites again. They look at it often, because a listener would not work through a pooler.';
comment on column access_state.only_row is 'Always true: the table has one row.';
comment on column access_state.version is 'Grows with each change of who may do what, and where.';

insert into access_state default values;
insert into sites (site, name) values (0, 'default');
insert into site_shards (shard, site) select h.shard, 0 from log_heads as h;

create function raise_access_version() returns trigger
language plpgsql as $$
begin
    update access_state set version = version + 1;
    return null;
end
$$;
comment on function raise_access_version() is 'Trigger that tells processes to read again what they know about access.';

create trigger sites_raise_the_version
after insert or update or delete on sites
for each statement execute function raise_access_version();

create trigger site_shards_raise_the_version
after insert or update or delete on site_shards
for each statement execute function raise_access_version();

-- What a step down would lose.
create view added_sites as select s.site, s.name from sites as s where s.site > 0;
comment on view added_sites is 'The sites beside the default one.';

-- Segments are no part of the log. Each site has its own, under names of its own.
alter table segments add column site integer not null default 0 references sites (site);
alter table segments drop constraint segments_pkey;
alter table segments add primary key (site, name);
alter table segments alter column site drop default;
comment on column segments.site is 'The site whose events it is about.';
