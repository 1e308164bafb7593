-- Keys: who may send events and who may read, of one site or of all. A key itself is shown once and is not kept.

create table keys (
    prefix text collate "C"
        constraint "a prefix names the kind of its key" check (prefix ~ '^hl[wsra]_[0-9A-Za-z]{8}$'),
    digest bytea not null
        constraint "no two keys are the same" unique
        constraint "a digest is a SHA-256" check (octet_length(digest) = 32),
    kind text not null
        constraint "a key has a known kind" check (kind in ('write', 'server', 'read', 'admin')),
    site integer references sites (site),
    label text not null default '',
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    primary key (prefix)
);
comment on table keys is 'The keys. One that is revoked or expired stays, because its site must not become open by that.';
comment on column keys.prefix is 'The first 12 characters of the key, which find it. They are no secret.';
comment on column keys.digest is 'SHA-256 of the whole key.';
comment on column keys.kind is 'What the key may do: write (events of pages), server (all events), read, or admin (everything).';
comment on column keys.site is 'The site that it is for. Null: for all sites.';
comment on column keys.label is 'What people call it.';
comment on column keys.created_at is 'When the key was created, by the database''s clock.';
comment on column keys.expires_at is 'Until when it is valid. Null: without end.';
comment on column keys.revoked_at is 'Since when it is revoked. Null while it is not.';
comment on column keys.last_used_at is 'When it was last used, to about a minute. Null: never.';

create trigger keys_raise_the_version
after insert or delete or update of prefix, digest, kind, site, label, created_at, expires_at, revoked_at on keys
for each statement execute function raise_access_version();
