-- Saved segments: filters under a name.

create table segments (
    name text collate "C" not null,
    filters jsonb not null constraint "filters are an object" check (jsonb_typeof(filters) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (name)
);
comment on table segments is 'Filters that people have saved, to use again by name.';
comment on column segments.name is 'Name of the segment.';
comment on column segments.filters is 'Filters as in a query string: an object of their names and texts.';
comment on column segments.created_at is 'When the segment was first saved, by the database''s clock.';
comment on column segments.updated_at is 'When it was last saved, by the database''s clock.';
