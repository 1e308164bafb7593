"""Sites that share the ids of sessions, users and events: each answers exactly as if it were alone (R12)."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from litestar.types import Receive, Scope, Send

from projections.archive.keeper import Keeper
from projections.conservation import conservation
from projections.projector import catch_up, step
from service.access.site_changes import add_site
from service.access.sites import Site
from service.app import Service
from service.errors import NotFound
from service.exports.export import Exports
from service.http.site_reads import Reads
from service.ingest.event import Event
from service.questions.segments import Saving, Segments
from service.reports.funnel_body import FunnelBody, Step
from service.reports.raw_events import RawEvents
from service.settings import load
from sql.database import Database
from tests.support import oracle, site_oracle
from tests.support.archive import settle
from tests.support.engines import InProcess
from tests.support.log import NOW
from tests.support.oracle import start_of
from tests.support.projection import PLACES, START, proofs, random_events
from tests.support.site_oracle import DAY, Json

# A whole number of days, and of hours in which events are.
SINCE, UNTIL = START.replace(hour=0), START.replace(hour=0) + 2 * DAY
RANGE = f"from={SINCE:%Y-%m-%dT%H:%MZ}&to={UNTIL:%Y-%m-%dT%H:%MZ}"
HOURS = 3
SHARDS = (1, 3)


@dataclass
class Told:
    """A site, its reads, and what it stored."""

    site: Site
    reads: Reads
    log: oracle.Log = field(default_factory=oracle.Log)

    @property
    def events(self) -> list[Event]:
        return self.log.events


@asynccontextmanager
async def served(url: str, folder: Path) -> AsyncIterator[Service]:
    """Give the parts of a worker of the service; questions about raw events are answered in this process."""
    archive = folder / "archive"
    settings = load({"DATABASE_URL": url, "HOURLEDGER_ARCHIVE_DIR": str(archive), "HOURLEDGER_DATA_DIR": str(folder)})
    service = Service(settings)
    await service.raw_events.close()
    await service.exports.close()
    service.raw_events = RawEvents(url, InProcess(url, archive))
    segments = Segments(service.database, service.log)
    service.exports = Exports(url, segments, lambda: InProcess(url, archive), lambda: NOW)
    await service.sites.look()
    await service.appender.start()
    await service.appender.wait_until_available(20)
    try:
        yield service
    finally:
        await service.appender.close()
        for each in (service.work, service.raw_events, service.exports):
            await each.close()
        for database in (service.log, service.access, service.looking, service.database):
            await database.close()


async def told_sites(service: Service, database: Database) -> list[Told]:
    """Add sites beside the default one; return all of them."""
    for number, shards in enumerate(SHARDS):
        await add_site(database, f"site-{number}", shards=shards)
    await service.sites.look()
    return [Told(site, service.reads_of(site)) for site in service.sites]


def events_for(seed: int, sites: int, count: int, late: str) -> list[list[Event]]:
    """Return the events of each site, of which the sites have some in common. late: what their ids begin with."""
    chance = random.Random(seed)
    shared = random_events(seed, count, hours=HOURS, sessions=5)
    found = []
    for site in range(sites):
        own = random_events(seed + site, count, hours=HOURS, sessions=5)
        some = [e._replace(event_id=late + e.event_id) for e in chance.sample(shared, len(shared) // 2) + own]
        # No two events of a site may have one id and one time but two sessions: over shards that is best effort.
        holders: dict[tuple[datetime, str], str] = {}
        found.append([e for e in some if holders.setdefault((e.timestamp, e.event_id), e.session_id) == e.session_id])
    return found


async def grow(
    service: Service, database: Database, sites: Sequence[Told], seed: int, count: int, late: str = ""
) -> None:
    """Send events to all sites in turns, while the projector folds some."""
    chance = random.Random(seed)
    left = events_for(seed, len(sites), count, late)
    while any(left):
        place = chance.choice([place for place, events in enumerate(left) if events])
        size = chance.choice([1, 2, 7, 30])
        batch, left[place] = left[place][:size], left[place][size:]
        told = sites[place]
        outcomes = await service.appender.append(batch, told.site.shards)
        refused = told.log.append(batch)
        assert outcomes == [refused.get(each, "stored") for each in range(len(batch))]
        if not chance.randrange(4):
            await step(database, limit=chance.choice([3, 50]))
        if not chance.randrange(8):
            for shard in told.site.shards:
                await database.only(database.statements.compact_receipts, shard)


@pytest.mark.parametrize(("seed", "archived"), [(1, False), (2, False), (3, False), (4, True)])
async def test_each_site_answers_as_if_it_were_alone(
    database: Database, database_url: str, tmp_path: Path, seed: int, *, archived: bool
) -> None:
    async with served(database_url, tmp_path) as service:
        sites = await told_sites(service, database)
        await grow(service, database, sites, seed, 60)
        if archived:
            await settle(database, NOW)
            keeper = Keeper(database, tmp_path / "archive", NOW)
            while await keeper.step():
                pass
            # Late events, so that files and rows answer together.
            await grow(service, database, sites, seed, 10, "late ")
        for told in sites:
            await check(told)
        await catch_up(database)
        for told in sites:
            await check(told)
    assert {proof.state for proof in await proofs(database)} == {"verified"}
    assert all(shard.holds for shard in await conservation(database))
    kept = sum(len(told.events) for told in sites)
    assert kept == sum(shard.stored for shard in await conservation(database))


async def check(told: Told) -> None:
    """Assert that every read of a site answers what the events of the site alone give."""
    await check_lists(told)
    await check_counts(told)
    await check_timelines(told)
    await check_people(told)
    await check_exports(told)


async def check_lists(told: Told) -> None:
    reads, events = told.reads, told.events
    page = await reads.events.page(f"{RANGE}&limit=1000".encode())
    assert [named(event) for event in page["events"]] == site_oracle.listed(events)
    assert page["total_in_range"] == len(events)
    of_session = site_oracle.of_session(events, "s1")
    page = await reads.events.page(f"{RANGE}&session_id=s1".encode())
    assert [named(event) for event in page["events"]] == site_oracle.listed(of_session)
    assert page["total_in_range"] == len(of_session)
    pages: list[Any] = []
    cursor = ""
    while True:
        page = await reads.events.page(f"{RANGE}&limit=17{cursor}".encode())
        pages += [named(event) for event in page["events"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert pages == site_oracle.listed(events)


def named(event: Json) -> tuple[datetime, str, str]:
    return datetime.fromisoformat(event["timestamp"]), event["event_id"], event["session_id"]


async def check_counts(told: Told) -> None:
    reads, events = told.reads, told.events
    hours = site_oracle.by_hour(events)
    page = plain(await reads.rollups.page(RANGE.encode()))
    assert {datetime.fromisoformat(each.pop("hour")): each for each in page["rollups"]} == hours
    assert page["total_events"] == len(events)
    assert page["distinct_sessions"] == len({event.session_id for event in events})
    assert len(page["as_of"]["positions"]) == len(told.site.shards)
    hour = max(hours)
    one = plain(await reads.rollups.one(f"{hour:%Y-%m-%dT%H:%MZ}"))
    assert {name: one["rollup"][name] for name in hours[hour]} == hours[hour]
    assert one["proof"]["events"] == hours[hour]["total_events"]
    found = await reads.proofs.page(RANGE.encode())
    assert {datetime.fromisoformat(each["hour"]): each["events"] for each in found["proofs"]} == {
        hour: rollup["total_events"] for hour, rollup in hours.items()
    }
    for filters in ("", "&demo_mode=true"):
        trend = await reads.trends.page(f"{RANGE}&interval=hour{filters}".encode())
        values = {datetime.fromisoformat(each["start"]): each["value"] for each in trend["buckets"] if each["value"]}
        assert values == {hour: rollup["total_events"] for hour, rollup in hours.items()}
        assert len(trend["as_of"]["positions"]) == len(told.site.shards)
        top = await reads.top_keys.page(f"{RANGE}&by=event_type{filters}".encode())
        assert {row["key"]: row["events"] for row in top["rows"]} == totals_of(hours, "event_counts")
    properties = plain(await reads.properties.page(RANGE.encode()))
    assert properties["events"] == len(events)
    found_properties = {each["property"]: each["events"] for each in properties["properties"]}
    assert found_properties == site_oracle.property_events(events)


def totals_of(hours: dict[datetime, Json], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for rollup in hours.values():
        for key, count in rollup[name].items():
            found[key] = found.get(key, 0) + count
    return found


async def check_timelines(told: Told) -> None:
    reads, events = told.reads, told.events
    for session in {f"s{number}" for number in range(6)}:
        of_session = site_oracle.of_session(events, session)
        if not of_session:
            with pytest.raises(NotFound):
                await reads.timelines.session(session, RANGE.encode())
            continue
        page = await reads.timelines.session(session, RANGE.encode())
        assert [named(event) for event in page["events"]] == site_oracle.listed(of_session)[::-1]
        assert page["events_in_range"] == len(of_session)
        assert page["user_ids"] == sorted({event.user_id for event in of_session if event.user_id})
    for user in ("u1", "u2", "u3"):
        of_user = site_oracle.of_user(events, user)
        page = await reads.timelines.user(user, RANGE.encode())
        assert [named(event) for event in page["events"]] == site_oracle.listed(of_user)
        sessions = {each["session_id"]: each["events"] for each in page["sessions"]}
        assert sessions == {
            session: len(site_oracle.of_session(of_user, session)) for session in {e.session_id for e in of_user}
        }
        assert page["days_active"] == len({start_of(event.timestamp, DAY) for event in of_user})


async def check_people(told: Told) -> None:
    reads, events = told.reads, told.events
    expected = site_oracle.totals(events, SINCE, UNTIL)
    for filters in ("", "&demo_mode=true"):
        page = await reads.summary.page(f"{RANGE}{filters}".encode())
        known = {name: number for name, number in expected.items() if name != "new_users" or not filters}
        assert {name: page["totals"][name] for name in known} == known
    page = await reads.summary.page(f"{RANGE}&compare=previous".encode())
    assert page["compare"] is None
    cohorts = await reads.cohorts.page(f"{RANGE}&interval=day".encode())
    sizes = [(each["size"], each["returned"]) for each in cohorts["cohorts"]]
    assert sizes == site_oracle.cohorts(events, SINCE, UNTIL)
    filtered = await reads.cohorts.page(f"{RANGE}&interval=day&demo_mode=true".encode())
    assert filtered["cohorts"] == cohorts["cohorts"]
    steps = (Step(event_type="page_viewed"), Step(event_type="risk_mode_changed"))
    body = FunnelBody(steps, since=SINCE.isoformat(), until=UNTIL.isoformat())
    funnel = await reads.funnels.answer(body)
    assert [each["reached"] for each in funnel["steps"]] == site_oracle.funnel(events)


async def check_exports(told: Told) -> None:
    reads, events = told.reads, told.events
    given = {"from": f"{SINCE:%Y-%m-%dT%H:%MZ}", "to": f"{UNTIL:%Y-%m-%dT%H:%MZ}", "format": "ndjson"}
    for filters in ({}, {"demo_mode": "true"}):
        lines = await exported(reads, given | filters)
        assert [named(line) for line in lines] == site_oracle.listed(events)[::-1]
    lines = await exported(reads, given | {"of": "rollups"})
    assert sum(line["value"] for line in lines if line["measure"] == "total_events") == len(events)


async def exported(reads: Reads, given: dict[str, str]) -> list[Json]:
    async with reads.exports.begun(await reads.exports.question(given)) as export:
        content = b"".join([block.content async for block in export.blocks])
    return [json.loads(line) for line in content.splitlines()]


def plain(answer: Json) -> Json:
    return dict(json.loads(msgspec.json.encode(answer)))


async def test_segments_belong_to_a_site(database: Database, database_url: str, tmp_path: Path) -> None:
    async with served(database_url, tmp_path) as service:
        default, first, second = await told_sites(service, database)
        for told, kind in ((default, "page_viewed"), (first, "risk_mode_changed")):
            await told.reads.segments.save("mine", Saving({"event_type": kind}))
        assert (await second.reads.segments.page())["segments"] == []
        for told, kind in ((default, "page_viewed"), (first, "risk_mode_changed")):
            (segment,) = (await told.reads.segments.page())["segments"]
            assert segment["filters"] == {"event_type": kind}
        await default.reads.segments.delete("mine")
        assert (await default.reads.segments.page())["count"] == 0
        assert (await first.reads.segments.page())["count"] == 1


async def test_the_streams_of_a_site_tell_of_its_events_alone(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with served(database_url, tmp_path) as service:
        default, first, second = await told_sites(service, database)
        event = random_events(1, 1)[0]._replace(timestamp=START + PLACES[0])
        assert await service.appender.append([event], first.site.shards) == ["stored"]
        standing = [(await told.reads.proofs.page(b""))["as_of"] for told in (default, first, second)]
        assert [sum(each["positions"]) for each in standing] == [0, 1, 0]
        assert [await first_message(told.reads) for told in (default, first, second)] == standing


async def first_message(reads: Reads) -> Json:
    """Return what a new stream says first."""
    said: list[Any] = []

    async def stream(_: Scope, __: Receive, ___: Send) -> None:
        said.append((await reads.live.after(0))[1].data)

    await reads.live.middleware(stream)(Mock(), Mock(), Mock())
    return dict(json.loads(said[0]))
