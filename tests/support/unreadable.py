"""A log of two days whose hours lie on different pages, for tests that damage a page."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from service.ingest.event import Event
from sql.database import Database
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import fold
from tests.support.servers import connected

DAY = timedelta(days=1)
FIRST = NOW.replace(hour=0, minute=0, second=0) - 3 * DAY
SECOND, THIRD = FIRST + HOUR, FIRST + 2 * HOUR
# The event of this hour is so large that PostgreSQL keeps its properties in pages of their own.
LARGE = FIRST + 3 * HOUR
OTHER_DAY = FIRST + DAY
HOURS = (FIRST, SECOND, THIRD, LARGE, OTHER_DAY)
TABLE = f"events_{FIRST:%Y%m%d}"
TOAST = "select reltoastrelid::regclass::text from pg_class where relname = $1"
PAGE_OF = "select (ctid::text::point)[0]::integer from events where event_id = $1"


def _events(hour: datetime) -> list[Event]:
    return [
        an_event(at=hour + timedelta(seconds=second), session=f"s{second % 40}")._replace(
            event_id=f"{hour:%dT%H} {second}"
        )
        for second in range(400)
    ]


def _large() -> Event:
    chance = random.Random(1)
    text = "".join(chr(chance.randrange(0x4E00, 0x9F00)) for _ in range(4_000))
    return an_event(at=LARGE, properties=f'{{"a": "{text}"}}')


async def fill(url: str) -> None:
    """Append the log, fold it and compact its receipts."""
    database = Database(url)
    for events in (*map(_events, (FIRST, SECOND, THIRD)), [_large()], _events(OTHER_DAY)[:-1], _events(OTHER_DAY)[-1:]):
        assert await append(database, events) == {}
    await fold(database)
    await database.only(database.statements.compact_receipts, 0)
    await database.close()


async def middle_page(url: str) -> int:
    """Return a page that holds only events of the second hour."""
    page = await ask(url, PAGE_OF, f"{SECOND:%dT%H} 200")
    assert isinstance(page, int)
    return page


async def toast(url: str) -> str:
    """Return the name of the table that keeps the large event's properties."""
    return str(await ask(url, TOAST, TABLE))


async def ask(url: str, query: str, *arguments: object) -> object:
    async with connected(url) as connection:
        return await connection.fetchval(query, *arguments)
