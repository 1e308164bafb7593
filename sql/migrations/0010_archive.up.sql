-- The archive's catalog: which file holds which hour (R10).

create table archive_files (
    file text collate "C" not null,
    shard integer not null,
    since timestamptz not null,
    until timestamptz not null,
    events bigint not null,
    bytes bigint not null,
    property_columns json not null,
    long_numbers bigint not null,
    written_at timestamptz not null,
    released_at timestamptz,
    damage text,
    primary key (file)
);
comment on table archive_files is 'Files of the archive. A row is there before its file has its name, and goes after the file is deleted.';
comment on column archive_files.file is 'Path below the archive directory. The name holds the SHA-256 of the content.';
comment on column archive_files.shard is 'Shard of its events.';
comment on column archive_files.since is 'Start of the hour, or of the UTC day, that it was written for.';
comment on column archive_files.until is 'End of that hour or day.';
comment on column archive_files.events is 'Events in the file.';
comment on column archive_files.bytes is 'Size of the file.';
comment on column archive_files.property_columns is 'Properties that have a column of their own: a list of {path, column, kind}.';
comment on column archive_files.long_numbers is 'Events whose properties may hold a number of more digits than a double keeps.';
comment on column archive_files.written_at is 'When it was written, by the database''s clock.';
comment on column archive_files.released_at is 'When the cleaning first saw that no hour is read from it. Null while one is.';
comment on column archive_files.damage is 'Why it must not be read. Null while nothing is known to be wrong.';

create table archive_hours (
    shard integer not null,
    hour timestamptz not null,
    file text collate "C" not null references archive_files (file),
    events bigint not null,
    position_sum numeric not null,
    digest_high numeric not null,
    digest_low numeric not null,
    proven_at timestamptz not null,
    primary key (shard, hour)
);
create index archive_hours_by_file on archive_hours (file);
comment on table archive_hours is 'The file of each archived hour. The hour is current when its numbers are those of the ledger and the receipts.';
comment on column archive_hours.shard is 'Shard of the events.';
comment on column archive_hours.hour is 'Hour (UTC) of the events'' timestamps.';
comment on column archive_hours.file is 'The file that holds them.';
comment on column archive_hours.events is 'Events of the hour in the file.';
comment on column archive_hours.position_sum is 'Sum of their positions.';
comment on column archive_hours.digest_high is 'Sum of the first 64 bits (signed) of each event''s digest.';
comment on column archive_hours.digest_low is 'Sum of the second 64 bits (signed) of each event''s digest.';
comment on column archive_hours.proven_at is 'When these numbers were last recomputed from the file, by the database''s clock.';

create table archive_writing (
    only_row boolean not null default true primary key constraint "an archive has one state" check (only_row),
    archive_id uuid not null default gen_random_uuid(),
    failed_writes bigint not null default 0,
    failing_since timestamptz,
    failed_at timestamptz,
    why text
);
comment on table archive_writing is 'How writing the archive goes. The projector tells it; health and metrics read it.';
comment on column archive_writing.only_row is 'Always true: the table has one row.';
comment on column archive_writing.archive_id is 'Names the archive. Its folder has a file with the same id, so that no other folder is taken for it.';
comment on column archive_writing.failed_writes is 'How many files could not be written.';
comment on column archive_writing.failing_since is 'When the first of the failures in a row was. Null once a file was written.';
comment on column archive_writing.failed_at is 'When the last failure was.';
comment on column archive_writing.why is 'Why it failed, in words that name no folder.';
insert into archive_writing default values;
