"""Persons whose events a quarantine leaves out of the numbers are erased, and found when they are back."""

from __future__ import annotations

import pytest

from projections.archive.kept_hours import KeptHours
from projections.erasing.checking import persons, what_is_wrong
from projections.projector import catch_up
from tests.support.erasing import KEY, erase_from, send_again, user
from tests.support.history import Past
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.quarantines import definition, put
from tests.support.retired_days import DAY, day

NUMBERS = (
    "select c::text from hourly_counts as c order by 1",
    "select shard, version, kind, bucket, previous, members from hourly_edges order by 1, 2, 3, 4, 5",
)
pytestmark = [
    pytest.mark.versions("newest"),
    pytest.mark.parametrize("sharded", [1], indirect=True, ids=["1 shard"]),
]


async def put_on(days: Past, where: str) -> None:
    """Leave events of all days out of the numbers."""
    asked = await definition(days.log.url, where, day(0), day(9) + DAY)
    with KeptHours(days.archive) as kept:
        assert [each.hindrance for each in await put(days.log, kept, asked) if each.hindrance] == []


async def test_a_stranger_takes_no_quarantined_place(past_days: Past) -> None:
    await put_on(past_days, "user_id = u1")
    before = [tuple(row) for query in NUMBERS for row in await past_days.log.admin.fetch(query)]
    await erase_from(past_days, user("u1"), named=True, keep_counts=True, vacuums=False)
    await catch_up(past_days.log.database)
    assert [tuple(row) for query in NUMBERS for row in await past_days.log.admin.fetch(query)] == before
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []


@pytest.mark.parametrize("place", ["rows", "files", "not folded"])
async def test_who_is_in_no_rollup_is_found(past_days: Past, place: str) -> None:
    """As after a restore: the certificate is of the same person."""
    days = past_days
    certificate = await erase_from(days, user("u1"), named=True, vacuums=False)
    back = an_event(9_000, at=day(2 if place == "files" else 9) + HOUR, session="back", user="u1")
    assert await what_is_wrong(days.log.database, days.archive, certificate, KEY) == []
    if place != "not folded":
        await put_on(days, "session_id = back")
    if place == "files":
        assert await days.bring_in(2, [back]) == {}
        await days.drop_tables()
    else:
        assert await send_again(days.log.database, [back], 1, days.log) == {"stored"}
    if place == "rows":
        await catch_up(days.log.database)
    named = "select count(*) from hourly_members where member = 'u1'"
    assert await days.log.admin.fetchval(named) == 0
    assert await persons(days.log.database, days.archive, certificate, KEY) == [user("u1")]
