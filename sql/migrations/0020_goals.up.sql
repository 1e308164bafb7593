-- Goals: what visitors are to reach, under a name. Annotations: what happened, for charts.

create table goals (
    site integer not null references sites (site),
    name text collate "C" not null,
    definition jsonb not null
        constraint "a goal is defined by an object" check (jsonb_typeof(definition) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (site, name)
);
comment on table goals is 'Goals that people have saved: conditions on events under a name.';
comment on column goals.site is 'The site whose events they are about.';
comment on column goals.name is 'Name of the goal.';
comment on column goals.definition is 'The event type, the path of a page, the condition, and the property that holds the value: names and texts as in requests.';
comment on column goals.created_at is 'When the goal was first saved, by the database''s clock.';
comment on column goals.updated_at is 'When it was last saved, by the database''s clock.';

create table annotations (
    annotation bigint generated always as identity,
    site integer not null references sites (site),
    at timestamptz not null,
    text text not null
        constraint "an annotation says something, and little" check (length(text) between 1 and 500),
    created_at timestamptz not null default clock_timestamp(),
    primary key (annotation)
);
create index annotations_site_at on annotations (site, at);
comment on table annotations is 'What happened, in the words of people, to be shown on charts.';
comment on column annotations.annotation is 'The number of the annotation.';
comment on column annotations.site is 'The site whose charts show it.';
comment on column annotations.at is 'When it happened.';
comment on column annotations.text is 'What happened.';
comment on column annotations.created_at is 'When it was added, by the database''s clock.';

alter table erasures add column goals integer not null default 0
    constraint "deleted goals are counted from 0" check (goals >= 0);
comment on column erasures.goals is 'Goals that named the person and were deleted so far.';
