"""Segments that another version of the service saved."""

from __future__ import annotations

import pytest

from service.errors import InvalidParameter
from service.questions.segments import Segments
from sql.database import Database


async def test_a_segment_that_is_no_longer_readable_is_refused_by_its_parameter(database: Database) -> None:
    await database.rows(database.statements.save_segment, 0, "old", '{"where": "action = \'x"}', 10)
    with pytest.raises(InvalidParameter, match=r"must be saved again") as refused:
        await Segments(database, database).filters({"segment": "old"})
    assert refused.value.field == "segment"
