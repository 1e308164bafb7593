"""An hour with events of its own, and how a test changes, verifies and shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from operator import not_
from typing import NamedTuple

import asyncpg

from tests.http.support.site import (
    HOUR,
    Json,
    Site,
    an_event,
    text_of,
)
from tests.support.waiting import wait_until

PROOF = ["state", "events", "digest", "verified_at", "sealed_at"]
# Sessions of the service inside a transaction, for example of a verification.
BUSY = """
select pid, state, xact_start, query from pg_stat_activity
where datname = current_database() and application_name = 'hourledger' and xact_start is not null
"""


class Hour(NamedTuple):
    """An hour that is over, and its three events."""

    site: Site
    start: datetime

    def shown(self) -> Json:
        return self.site.get(f"/api/analytics/rollups/{text_of(self.start)}")

    def proof(self) -> Json:
        proof = dict(self.shown()["proof"])
        assert list(proof) == PROOF
        assert len(proof["digest"]) == 32
        int(proof["digest"], 16)
        assert proof["sealed_at"] is None
        return proof

    def send(self, **fields: object) -> None:
        self.site.send(an_event(at=self.start + timedelta(minutes=20), **fields))

    def run(self, command: str, code: int) -> str:
        """Run a command of the projections on this hour; assert its exit code and return its output."""
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "projections",
                command,
                "--from",
                text_of(self.start),
                "--to",
                text_of(self.start + HOUR),
            ],
            env=os.environ | {"DATABASE_URL": self.site.database_url, "HOURLEDGER_DATA_DIR": str(self.site.data_dir)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    def verify(self, code: int = 0) -> str:
        return self.run("verify", code)

    def change_an_event(self, properties: str) -> None:
        """Change the log behind hourledger's back."""
        self.site.rows("alter table events disable trigger events_are_append_only")
        self.site.rows(
            "update events set properties = $1 where event_id = 'e-1' and hour_of(timestamp) = $2",
            properties,
            self.start,
        )
        self.site.rows("alter table events enable trigger events_are_append_only")

    def folded(self) -> None:
        """Wait until the projector has folded everything."""
        self.site.wait_until_folded()


@contextmanager
def projector_stopped(site: Site) -> Iterator[None]:
    """Stop the projector between two transactions."""
    projector = site.part("follow")

    def busy_when_stopped() -> list[asyncpg.Record]:
        projector.suspend()
        if busy := site.rows(BUSY):
            projector.resume()
        return busy

    wait_until(busy_when_stopped, "the projector is stopped between two transactions", holds=not_)
    try:
        yield
    finally:
        projector.resume()
