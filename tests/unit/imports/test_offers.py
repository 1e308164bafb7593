"""An import of history offers no rows to the log that this surely refuses, and all others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from service.imports.history import History
from service.imports.importer import Job, Tally, _Run
from service.imports.waiting_rows import WaitingRows
from service.ingest.event import Event
from service.ingest.outcomes import EXPIRED, STORED
from tests.support.log import NOW, an_event

HORIZON = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=7)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("is_history", [True, False])
async def test_the_log_is_asked_once_about_a_day_that_it_refuses(*, is_history: bool) -> None:
    offered: list[Event] = []

    async def target(events: Sequence[Event]) -> list[str]:
        offered.extend(events)
        return [EXPIRED if event.timestamp < HORIZON else STORED for event in events]

    ages = ((1, -1, 60), (2, -2), (30, 61, -30), (1, 0))
    batches = [[an_event(at=HORIZON - hours * HOUR) for hours in batch] for batch in ages]
    history: Any = Mock(spec=History) if is_history else None
    with closing(WaitingRows()) as waiting:
        run = _Run(Mock(), Job(Path("file"), history=history), Mock(), Mock(), waiting, Tally())
        found = [await run._outcomes(batch, target) for batch in batches]
    assert found == [[EXPIRED if hours > 0 else STORED for hours in batch] for batch in ages]
    asked = [hours for batch in ages for hours in batch]
    assert [(HORIZON - event.timestamp) // HOUR for event in offered] == (
        [1, -1, 60, -2, -30, 0] if is_history else asked
    )
