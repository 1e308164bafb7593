"""Cohorts of any history equal a brute-force count, in zones whose clocks change within the range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.projector import step
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from service.reports.cohorts import Cohorts
from sql.database import Database
from tests.support.histories import History, history
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.sent_events import examples

DAY = 24 * HOUR
# Each zone's clocks change in the middle; in Tehran that day has no midnight. Kathmandu is 5:45 ahead.
CHANGES = {
    "Asia/Tehran": date(2022, 3, 22),
    "Australia/Lord_Howe": date(2026, 10, 4),
    "Europe/Berlin": date(2026, 10, 25),
    "America/St_Johns": date(2026, 11, 1),
    "Asia/Kathmandu": date(2026, 11, 8),
}
BEFORE, AFTER = 5, 7
PLACES = [timedelta(0), timedelta(microseconds=1), QUARTER - timedelta(microseconds=1)]

# The day that is made last.
IS_MADE = "select where to_regclass(day_partition($1)) is not null"

Label = date


@dataclass(frozen=True)
class Question:
    """A question about cohorts; its hours count from the start of the log's first day."""

    zone: str
    hours: tuple[int, int]
    clock: int
    interval: str
    by: str
    retention: str
    returns_by: str | None
    tool: str | None

    @property
    def start(self) -> datetime:
        day = CHANGES[self.zone]
        return datetime(day.year, day.month, day.day, tzinfo=UTC) - BEFORE * DAY

    @property
    def since(self) -> datetime:
        return self.start + self.hours[0] * HOUR

    @property
    def until(self) -> datetime:
        return self.start + self.hours[1] * HOUR

    @property
    def now(self) -> datetime:
        return self.start + self.clock * HOUR + timedelta(minutes=7)

    @property
    def query(self) -> bytes:
        asked = f"tz={self.zone}&interval={self.interval}&by={self.by}&retention={self.retention}"
        asked += f"&from={self.since:%Y-%m-%dT%H:00Z}&to={self.until:%Y-%m-%dT%H:00Z}"
        asked += f"&return_event_type={self.returns_by}" if self.returns_by else ""
        return (asked + (f"&tool_name={self.tool}" if self.tool else "")).encode()

    def label(self, moment: datetime) -> Label:
        """Return the first day of the period that holds a moment."""
        day = moment.astimezone(ZoneInfo(self.zone)).date()
        if self.interval == "month":
            return day.replace(day=1)
        return day - timedelta(days=day.weekday()) if self.interval == "week" else day

    def periods(self) -> list[tuple[Label, datetime, datetime]]:
        """Return each period of the range, its start and its end."""
        quarters = [self.since + number * QUARTER for number in range((self.until - self.since) // QUARTER)]
        found = [(label, list(of_label)) for label, of_label in groupby(quarters, self.label)]
        return [(label, of_label[0], of_label[-1] + QUARTER) for label, of_label in found]

    def complete(self) -> list[bool]:
        """Tell for each period whether it is over and lies wholly in the range."""
        return [
            end <= self.now and self.label(start - QUARTER) != label != self.label(end)
            for label, start, end in self.periods()
        ]


def hours_of(first: int, last: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(first, last - 1), st.integers(first + 1, last)).filter(lambda pair: pair[0] < pair[1])


questions = st.builds(
    Question,
    st.sampled_from(sorted(CHANGES)),
    st.one_of(st.just((0, 24 * (BEFORE + AFTER))), st.just((24, 24 * AFTER)), hours_of(0, 24 * (BEFORE + AFTER))),
    st.integers(0, 24 * (BEFORE + AFTER)),
    *(st.sampled_from(["day", "day", "week", "month"]), st.sampled_from(["user", "visitor"])),
    st.sampled_from(["bounded", "unbounded"]),
    *(st.none() | st.just("opened"), st.none() | st.just("Home")),
)
# Quarters near midnights, because periods begin there and most clocks change there.
QUARTERS = st.integers(0, BEFORE + AFTER - 1).flatmap(
    lambda day: st.sampled_from([96 * day + q for q in (0, 1, 13, 14, 50, 73, 74, 95)])
)
Sent = tuple[int, int, timedelta, str, str | None, str, str | None]
sent: st.SearchStrategy[Sent] = st.tuples(
    *(
        st.integers(0, 500),
        QUARTERS,
        st.sampled_from(PLACES),
        st.sampled_from("abcdefgh"),
    ),
    *(st.sampled_from([None, None, "u1", "u2", "a"]), st.sampled_from(["opened", "closed"])),
    st.sampled_from(["Home", "Map", None]),
)


def event_of(question: Question, one: Sent) -> Event:
    number, quarter, place, session, user, kind, tool = one
    at = question.start + quarter * QUARTER + place
    return an_event(number, at=at, session=session, kind=kind, tool=tool)._replace(user_id=user)


def expected(question: Question, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return the cohorts, counted owner by owner."""
    looked_at = [event for event in events if event.timestamp < question.until]
    identified = {event.session_id for event in looked_at if event.user_id is not None}

    def owner(event: Event) -> tuple[str, str] | None:
        if event.user_id is not None:
            return "user", event.user_id
        anonymous = question.by == "visitor" and event.session_id not in identified
        return ("session", event.session_id) if anonymous else None

    owners = {owner(event) for event in looked_at} - {None}
    lives = {each: [event for event in looked_at if owner(event) == each] for each in owners}
    firsts = {
        each: min(
            (event.timestamp for event in life if question.tool in (None, event.tool_name)),
            default=question.since - DAY,
        )
        for each, life in lives.items()
    }

    def is_there(each: tuple[str, str] | None, since: datetime, until: datetime) -> bool:
        return any(
            since <= event.timestamp < until and question.returns_by in (None, event.event_type)
            for event in lives[each]
        )

    cohorts = []
    periods = question.periods()
    for place, (_, start, end) in enumerate(periods):
        members = [each for each in owners if start <= firsts[each] < end]
        later = [
            (since, until if question.retention == "bounded" else question.until)
            for _, since, until in periods[place + 1 :]
        ]
        returned = [sum(is_there(each, since, until) for each in members) for since, until in later]
        cohorts.append(
            {
                "start": f"{start:%Y-%m-%dT%H:%M:%S}.000Z",
                "size": len(members),
                "returned": [len(members), *returned],
                "complete": question.complete()[place:],
            }
        )
    return cohorts


async def make_days(database: Database) -> None:
    """Make all days of the database, if its first is not there yet."""
    if await database.rows(IS_MADE, min(CHANGES.values()) - BEFORE * DAY):
        return
    for day in sorted(CHANGES.values(), reverse=True):
        for number in reversed(range(-BEFORE, AFTER)):
            await database.only(database.statements.make_day, day + number * DAY)


async def append_all(both: History, events: Sequence[Event]) -> None:
    """Append each event by a clock at its own time; a repeated id is not stored."""
    for event in events:
        shard = shard_of(event.session_id, len(both.logs))
        assert await append(both.database, [event], shard=shard, clock=event.timestamp) == both.logs[shard].append(
            [event]
        )


async def asked(both: History, question: Question, filtered: bytes = b"") -> dict[str, Any]:
    cohorts = Cohorts(both.database, both.reads.raw_events, both.reads.segments, lambda: question.now)
    return await cohorts.page(question.query + filtered)


@given(st.sampled_from([1, 3]), questions, st.lists(sent, min_size=8, max_size=40), st.integers(0, 40))
@settings(examples(60), print_blob=True)
async def test_cohorts_are_counted(
    database_url: str, shards: int, question: Question, some: list[Sent], folded: int
) -> None:
    async with history(database_url, shards) as both:
        await make_days(both.database)
        await append_all(both, [event_of(question, one) for one in some])
        if folded:
            await step(both.database, limit=folded)
        cohorts = expected(question, [event for log in both.logs for event in log.events])
        answer = await asked(both, question)
        assert answer["cohorts"] == cohorts
        assert answer["source"] == ("events" if question.tool or question.returns_by else "rollups")
        # All events pass this filter, but it makes the service read raw events.
        from_events = await asked(both, question, b"&demo_mode=true")
        assert from_events == answer | {"source": "events"}
