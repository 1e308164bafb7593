"""Workers that watch rules of alerts, and a real mail server and webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.alerts import Clock, Watcher, watching, without_proxies
from tests.support.targets import Hook, Mailbox, hook, mailbox


@pytest.fixture(autouse=True, scope="package")
def _no_proxies() -> Iterator[None]:
    with without_proxies():
        yield


@pytest_asyncio.fixture(name="mails")
async def _mails() -> AsyncIterator[Mailbox]:
    async with mailbox() as box:
        yield box


@pytest_asyncio.fixture(name="posts")
async def _posts() -> AsyncIterator[Hook]:
    async with hook() as found:
        yield found


@pytest_asyncio.fixture(name="watcher")
async def _watcher(database_url: str, mails: Mailbox, tmp_path: Path) -> AsyncIterator[Watcher]:
    async with watching(database_url, tmp_path, Clock(), mails.url) as found:
        yield found
