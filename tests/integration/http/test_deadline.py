"""Readiness and metrics answer within their deadline even when the database server hangs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import monotonic

import pytest

from service.http import deadline as module
from service.http.health import readiness
from service.http.metrics import Metrics
from service.ingest.appender import Appender
from service.settings import load
from sql.database import Database
from tests.conftest import RETENTION_DAYS
from tests.support.appenders import until_available
from tests.support.severed_connection import severable

# The time after which a query to a hanging server fails by itself.
HANGING_SECONDS = 60


async def test_readiness_and_metrics_do_not_wait_for_a_server_that_hangs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, metrics = Database(database_url), Metrics()
    appender = Appender(log, RETENTION_DAYS)
    with tempfile.TemporaryDirectory() as folder:
        async with severable(database_url, Path(folder)) as way:
            database = Database(way.url, read_only=True, statement_seconds=HANGING_SECONDS)
            await appender.start()
            await until_available(appender)
            assert "hourledger_database_up 1.0" in told(await metrics.text(database, appender.admission))
            monkeypatch.setattr(module, "ANSWER_SECONDS", 0.1)
            way.hangs = True
            began = monotonic()
            answer = await readiness(database, appender, load({}))
            assert told(await metrics.text(database, appender.admission))[-1] == "hourledger_database_up 0.0"
            assert monotonic() - began < HANGING_SECONDS / 6
            assert answer.status == 503
            assert "the database cannot answer" in json.loads(answer.body)["error"]["message"]
            way.hangs = False
            monkeypatch.undo()
            assert (await readiness(database, appender, load({}))).status == 200
            assert "hourledger_database_up 1.0" in told(await metrics.text(database, appender.admission))
            await database.close()
    await appender.close()
    await log.close()


def told(text: bytes) -> list[str]:
    return text.decode().splitlines()
