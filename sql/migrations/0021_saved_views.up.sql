-- Saved views: what the dashboard shows, under a name.

create table saved_views (
    site integer not null references sites (site),
    name text collate "C" not null,
    search text not null constraint "a saved view is the part of an address from its question mark on" check (search like '?%'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (site, name)
);
comment on table saved_views is 'Views of the dashboard that people have saved, to open again by name.';
comment on column saved_views.site is 'The site whose events it is about.';
comment on column saved_views.name is 'Name of the view.';
comment on column saved_views.search is 'The part of the dashboard''s address from its question mark on.';
comment on column saved_views.created_at is 'When the view was first saved, by the database''s clock.';
comment on column saved_views.updated_at is 'When it was last saved, by the database''s clock.';
