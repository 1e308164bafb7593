"""The weekly report has the numbers of the log, and each week is sent once."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from service.access.site_changes import add_site
from tests.support.alerts import Clock, Watcher, watching
from tests.support.log import an_event, append
from tests.support.targets import Hook, Mailbox

ZONE = ZoneInfo("Europe/Berlin")
# The week in which the clocks went back.
MONDAY = datetime(2026, 10, 26, tzinfo=ZONE)
DAY = timedelta(days=1)
MAIL = "mailto:boss@example.com"
SUBJECT = "[hourledger] blog: 40 events, 19 Oct to 25 Oct 2026"


async def filled(watcher: Watcher) -> dict[str, int]:
    """Add a site with 30 events of the week before the last and 40 of the last; return the last week's by day."""
    blog = await add_site(watcher.service.log, "blog", time_zone="Europe/Berlin")
    chance = random.Random(4)
    days = [15] + [chance.randrange(8, 15) for _ in range(30)] + [chance.randrange(1, 8) for _ in range(40)]
    for ago in sorted(set(days), reverse=True):
        day = MONDAY.date() - ago * DAY
        moments = [datetime.combine(day, time(chance.choice([0, 2, 12, 23]), 30), ZONE) for _ in range(days.count(ago))]
        events = [
            an_event(100 * ago + number, at=at.astimezone(UTC), session=f"s{number % 9}", kind=f"kind {number % 2}")
            for number, at in enumerate(moments)
        ]
        await append(watcher.service.log, events, shard=blog.shards[0], clock=events[0].timestamp + DAY)
    await watcher.service.sites.look()
    return {(MONDAY.date() - ago * DAY).isoformat(): days.count(ago) for ago in range(1, 8)}


async def test_each_week_is_told_once_with_the_numbers_of_the_log(
    database_url: str, tmp_path: Path, mails: Mailbox, posts: Hook
) -> None:
    clock = Clock(MONDAY.astimezone(UTC) - DAY)
    async with watching(database_url, tmp_path, clock, mails.url) as one:
        by_day = await filled(one)
        blog = one.service.sites.named("blog")
        await one.add("monday", "weekly report", MAIL, posts.url, site=blog)
        await one.look()
        clock.now = (MONDAY + timedelta(hours=6, minutes=59)).astimezone(UTC)
        await one.look()
        assert mails.subjects() == []
        await one.look()
        async with watching(database_url, tmp_path, clock, mails.url) as other:
            for worker in (one, other, one):
                await worker.look()
            assert mails.subjects() == [SUBJECT]
            clock.now += 6 * DAY
            await other.look()
            assert mails.subjects() == [SUBJECT]
            clock.now += DAY
            for worker in (one, other):
                await worker.look()
    assert mails.subjects() == [SUBJECT, "[hourledger] blog: 0 events, 26 Oct to 1 Nov 2026"]

    check_mail(mails.mails[0])
    check_post(posts.posts[0].body, by_day)


def check_mail(mail: EmailMessage) -> None:
    assert mail.get_content_type() == "multipart/alternative"
    text, html = [part.get_content() for part in mail.iter_parts() if isinstance(part, EmailMessage)]
    assert ["Events", "40", "30", "+33", "%"] in [line.split() for line in text.splitlines()]
    assert "40</td>" in "".join(html.split())


def check_post(body: bytes, by_day: dict[str, int]) -> None:
    told = json.loads(body)
    assert (told["kind"], told["totals"]["events"]) == ("weekly_report", 40)
    assert told["before"]["events"] == 30
    assert {day["day"]: day["events"] for day in told["days"] if day["events"]} == by_day
    assert len(told["days"]) == 7
    assert sum(row["events"] for row in told["event_types"]) == 40
    assert sum(told["proofs"].values()) > 0
