-- Sign-ins of people with a key or the read token, and links that show one view to whoever has them. Of both the service
-- keeps a SHA-256, and deletes the row when one is revoked.

create table sign_ins (
    prefix text collate "C"
        constraint "a sign-in is found by a prefix" check (prefix ~ '^hlc_[0-9A-Za-z]{8}$'),
    digest bytea not null
        constraint "no two sign-ins are the same" unique
        constraint "a digest of a sign-in is a SHA-256" check (octet_length(digest) = 32),
    key text collate "C" references keys (prefix) on delete cascade,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    primary key (prefix)
);
comment on table sign_ins is 'The sign-ins of people who read numbers or change settings. Visitors of websites have none.';
comment on column sign_ins.prefix is 'The first 12 characters of the cookie, which find it. They are no secret.';
comment on column sign_ins.digest is 'SHA-256 of the whole cookie, or of the cookie and the read token that signed in.';
comment on column sign_ins.key is 'The key that signed in. Null: the read token of the environment.';
comment on column sign_ins.created_at is 'When it began, by the database''s clock.';
comment on column sign_ins.expires_at is 'When it ends, unless its key ends before.';

create index sign_ins_by_key on sign_ins (key);

create trigger sign_ins_raise_the_version
after insert or update or delete on sign_ins
for each statement execute function raise_access_version();

create table share_links (
    prefix text collate "C"
        constraint "a link is found by a prefix" check (prefix ~ '^hll_[0-9A-Za-z]{8}$'),
    digest bytea not null
        constraint "no two links are the same" unique
        constraint "a digest of a link is a SHA-256" check (octet_length(digest) = 32),
    site integer not null references sites (site),
    label text not null default '',
    hours integer constraint "a link shows at least an hour" check (hours > 0),
    since timestamptz,
    until timestamptz,
    filters jsonb not null default '{}'
        constraint "the filters of a link are an object" check (jsonb_typeof(filters) = 'object'),
    origins text[] not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    primary key (prefix),
    constraint "a link shows the last hours, or a range" check (
        (hours is not null and since is null and until is null)
        or (hours is null and since is not null and until is not null and since < until)
    )
);
comment on table share_links is 'Links that show one view of a site to whoever has them, and nothing else.';
comment on column share_links.prefix is 'The first 12 characters of the link''s secret, which find it. They are no secret.';
comment on column share_links.digest is 'SHA-256 of the whole secret.';
comment on column share_links.site is 'The site that it shows.';
comment on column share_links.label is 'What people call it. Whoever has the link sees it.';
comment on column share_links.hours is 'How many of the last hours it shows. Null: it shows a range.';
comment on column share_links.since is 'Start of the range that it shows.';
comment on column share_links.until is 'End of the range that it shows, exclusive.';
comment on column share_links.filters is 'The filters of every question that is asked with it: names and texts, as in segments.';
comment on column share_links.origins is 'Origins whose pages may embed it.';
comment on column share_links.created_at is 'When it was created, by the database''s clock.';
comment on column share_links.expires_at is 'Until when it is valid.';

create trigger share_links_raise_the_version
after insert or update or delete on share_links
for each statement execute function raise_access_version();
