"""A service with a page that cannot be read: readiness, metrics and the hour tell it, and the witness is written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from projections.log_heads import LogHead
from tests.conftest import running_service
from tests.support.pages import damaged_copy, flipped
from tests.support.servers import OWN_SERVER
from tests.support.unreadable import FIRST, SECOND, TABLE, fill, middle_page
from tests.support.waiting import wait_until


@pytest.mark.skipif(OWN_SERVER is not None, reason="needs the files of the server")
async def test_an_hour_that_cannot_be_read_is_told_by_the_service(database_url: str, tmp_path: Path) -> None:
    await fill(database_url)
    page, witness = await middle_page(database_url), tmp_path / "witness"
    async with damaged_copy(database_url, TABLE, flipped(page)) as url:
        with running_service(tmp_path, url, HOURLEDGER_WITNESS=str(witness)) as service, service.client() as client:
            why = ["damaged: 1 hour; make verify names them"]
            wait_until(
                lambda: client.get("/health/ready").json(),
                "the hour is told",
                holds=lambda told: told.get("degraded") == why,
            )
            assert 'hourledger_failed_proofs{state="damaged"} 1.0' in client.get("/metrics").text
            states = {
                hour: client.get(f"/api/analytics/rollups/{hour:%Y-%m-%dT%H:%MZ}").json()["proof"]["state"]
                for hour in (FIRST, SECOND)
            }
            assert states[SECOND] == "damaged"
            wait_until(witness.exists, "the witness is written")
            assert msgspec.json.decode(witness.read_bytes(), type=LogHead).stored == 1601
