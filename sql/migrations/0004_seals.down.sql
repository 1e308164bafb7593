-- Removes the seals, which are all that is left of hours whose events are gone.
-- loses: hour_seals, retired_days
drop table shard_totals;
drop table retired_days;
drop table hour_seals;
drop table hourly_fills;
drop table hourly_documents;
drop table hour_proofs;
-- Code that does not know stages would fold and keep versions that are not live.
delete from hourly_counts where version not in (select live_version from projections where projection = 'hourly');
delete from hourly_sessions where version not in (select live_version from projections where projection = 'hourly');
delete from hourly_edges where version not in (select live_version from projections where projection = 'hourly');
delete from checkpoints where (projection, version) not in (select projection, live_version from projections);
alter table checkpoints drop column begun_at, drop column stage;
alter table projections drop column newest_version;

create table hour_proofs (
    shard integer not null,
    projection text collate "C" not null,
    hour timestamptz not null,
    state text collate "C" not null
        constraint "a proof is verified, drifted or damaged" check (state in ('verified', 'drifted', 'damaged')),
    events bigint not null,
    digest_high numeric not null,
    digest_low numeric not null,
    verified_at timestamptz not null,
    primary key (shard, projection, hour)
);
comment on table hour_proofs is 'What the last verification of each hour found, and the log as it was then: it holds as long as the ledger still says the same.';
comment on column hour_proofs.shard is 'Shard that was verified.';
comment on column hour_proofs.projection is 'Projection that was verified.';
comment on column hour_proofs.hour is 'The hour (UTC).';
comment on column hour_proofs.state is 'verified: recount = rollup and log = ledger; drifted: recount <> rollup; damaged: log <> ledger.';
comment on column hour_proofs.events is 'Events of the hour by the ledger, at the verification.';
comment on column hour_proofs.digest_high is 'Digest of the hour by the ledger, first half, at the verification.';
comment on column hour_proofs.digest_low is 'Digest of the hour by the ledger, second half, at the verification.';
comment on column hour_proofs.verified_at is 'When the verification was made, by the database''s clock.';
