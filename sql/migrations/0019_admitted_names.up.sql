-- Names of events that count under their own name, so that a flood of invented ones leaves the numbers useful (R4).

create table admitted_names (
    shard integer not null,
    kind text collate "C" not null
        constraint "an admitted name is of a known kind" check (kind in ('event_type', 'tool_name', 'action', 'risk_mode')),
    name text collate "C" not null,
    position bigint not null,
    hour timestamptz not null,
    primary key (shard, kind, name)
);
create index admitted_names_by_hour on admitted_names (shard, kind, hour);
comment on table admitted_names is 'Names that count under themselves. The append that first stores a name admits it, unless too many were new in that hour. A name never goes.';
comment on column admitted_names.shard is 'Shard of the log.';
comment on column admitted_names.kind is 'Field of events that has the name.';
comment on column admitted_names.name is 'The name.';
comment on column admitted_names.position is 'Position from which on it counts under itself: its first event''s, or 0 when it is older than this table.';
comment on column admitted_names.hour is 'The hour (UTC) whose room for new names it used up. -infinity when it used up none: an import brought it, it always counts, or it is older than this table.';

create table refused_names (
    shard integer not null,
    kind text collate "C" not null
        constraint "a refused name is of a known kind" check (kind in ('event_type', 'tool_name', 'action', 'risk_mode')),
    position bigint not null,
    upto bigint constraint "a stretch does not end before it begins" check (upto >= position),
    hour timestamptz not null,
    primary key (shard, kind, position)
);
create unique index refused_names_now on refused_names (shard, kind) where upto is null;
create index refused_names_by_hour on refused_names (shard, hour);
comment on table refused_names is 'Stretches of positions in which new names were refused. Among these, an event counts under (other) when its name was not admitted by its position. Refused names themselves are nowhere but in the log.';
comment on column refused_names.shard is 'Shard of the log.';
comment on column refused_names.kind is 'Field of events whose new names were refused.';
comment on column refused_names.position is 'Position of the first event with a refused name.';
comment on column refused_names.upto is 'The last position before the first event of another hour. Null until that event comes.';
comment on column refused_names.hour is 'The hour (UTC) in which the events of the stretch were received.';

create function refuse_other_names() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(old) ->> 'upto' is null and to_jsonb(new) - 'upto' = to_jsonb(old) - 'upto' then
        return new;
    end if;
    raise exception 'which names count under themselves does not change: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'Rollups that were counted with these names would no longer verify.';
end
$$;
comment on function refuse_other_names() is 'Trigger that keeps what was once decided about a name (R4).';

create trigger admitted_names_stay
before update or delete on admitted_names
for each row execute function refuse_other_names();

create trigger admitted_names_are_not_truncated
before truncate on admitted_names
for each statement execute function refuse_other_names();

create trigger refused_names_stay
before update or delete on refused_names
for each row execute function refuse_other_names();

create trigger refused_names_are_not_truncated
before truncate on refused_names
for each statement execute function refuse_other_names();

-- Names of before are known, so they do not use up the first hour's room. Rollups do not know actions.
insert into admitted_names (shard, kind, name, position, hour)
select c.shard, c.dimension::text, c.key, 0, '-infinity'::timestamptz from hourly_counts as c
union
select e.shard, 'action', e.action, 0, '-infinity'::timestamptz from events as e where e.action is not null;
