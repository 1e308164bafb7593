"""Every command of the pages is run, in a folder like a checkout, and gives what the page shows after it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.conftest import Servers, folder_for_servers, free_port
from tests.docs.blocks import ONLY_CHECKED, reason
from tests.docs.pages import Block, blocks
from tests.docs.place import OWN_SERVER, Place, commands, new_place
from tests.docs.shapes import missing, shapes
from tests.http.support.site import new_database, text_of

SERVE = "make serve"
# Pages in the order in which a reader would go through them.
ORDER = ("README.md", "docs/api.md", "docs/bi.md", "docs/operations.md")
# test_deploy.py runs its commands, as root.
OF_A_MACHINE = "docs/deploy.md"


@pytest_asyncio.fixture
async def own_databases(servers: Servers) -> AsyncIterator[list[str]]:
    """Give the URLs of two empty databases on a server that is not the embedded one of the place."""
    async with new_database(servers, empty=True) as first, new_database(servers, empty=True) as second:
        yield [first, second]


@pytest.fixture
def programs() -> None:
    """Skip the test when a program that the pages use is missing; CI requires all of them."""
    absent = [name for name in ("bash", "curl", "openssl") if shutil.which(name) is None]
    if absent and os.environ.get("CI"):
        pytest.fail(f"not installed: {absent}")
    if absent:
        pytest.skip(f"needs {absent}")


def clean(place: Place) -> None:
    """Go back to the settings that a reader begins with; the service runs with them."""
    place.environment.clear()
    place.replaced.clear()
    if SERVE not in place.running or place.started_with:
        place.run(SERVE)


def parts_by_themselves(place: Place, _: list[str]) -> None:
    place.environment |= {"DATABASE_URL": place.database_url, "HOURLEDGER_PORT": str(free_port())}


def events_to_import(place: Place, _: list[str]) -> None:
    event = {"event_type": "imported", "session_id": "s", "timestamp": "2018-10-18T01:00:00Z"}
    (place.folder / "events.json").write_text(json.dumps([event | {"event_id": str(number)} for number in range(3)]))


def own_database(place: Place, own_databases: list[str]) -> None:
    place.environment["DATABASE_URL"] = own_databases.pop()


def embedded_database(place: Place, _: list[str]) -> None:
    place.environment["DATABASE_URL"] = place.database_url


def no_backup_yet(place: Place, _: list[str]) -> None:
    for made in place.backups.glob("*.dump"):
        made.unlink()


def backup_of_that_day(place: Place, _: list[str]) -> None:
    (made,) = place.backups.glob("hourledger-2*.dump")
    shutil.copy(made, place.backups / "hourledger-2026-11-23.dump")
    place.stop(*place.running)


def administrator(place: Place, _: list[str]) -> None:
    place.environment |= {"PGHOST": str(place.folder / ".data/run"), "PGUSER": "hourledger", "PGDATABASE": "hourledger"}
    # The administrator of the embedded server has that name already.
    place.replaced |= {"role hourledger": "role ledger", "owner hourledger": "owner ledger"}
    place.replaced["database hourledger"] = "database ledger"


def a_day_that_is_due(place: Place, _: list[str]) -> None:
    for days in (3, 4):  # the page shows several days, events and sealed hours
        then = text_of(datetime.now(UTC) - timedelta(days=days))
        event = {"event_type": "old", "session_id": "s", "timestamp": then}
        place.run(f"curl {place.url}/e --data '{json.dumps(event)}'")


def move_to_own_server(place: Place, own_databases: list[str]) -> None:
    place.replaced[OWN_SERVER] = shlex.quote(own_databases.pop())


# Steps that a page describes in words, or takes for granted, before a block. Keys: the page, and a part of the block.
BEFORE: dict[tuple[str, str], Callable[[Place, list[str]], None]] = {
    ("docs/bi.md", "bi-role --login grafana"): embedded_database,
    ("docs/operations.md", "service http"): parts_by_themselves,
    ("docs/operations.md", "make import"): events_to_import,
    ("docs/operations.md", "make backup FILE=/var/backups/hourledger-"): no_backup_yet,
    ("docs/operations.md", "pg_dump -Fc"): embedded_database,
    ("docs/operations.md", "mv ~/.local"): backup_of_that_day,
    ("docs/operations.md", 'DATABASE_URL" hourledger.dump'): own_database,
    ("docs/operations.md", "move.dump"): move_to_own_server,
    ("docs/operations.md", "psql -c"): administrator,
    ("docs/operations.md", "make retention SHORTEN=1"): a_day_that_is_due,
}


def run(place: Place, block: Block, own_databases: list[str]) -> None:
    """Run the commands of a block, and compare what they give with what is shown."""
    for (page, part), prepare in BEFORE.items():
        if page == block.page and part in block.text:
            prepare(place, own_databases)
    for command, shown in commands(block):
        if command in ONLY_CHECKED:
            check(place, command)
            continue
        lines = place.run(command)
        assert not missing(shown, lines), f"{block}: {command} gave\n" + "\n".join(lines)
    place.stop(*(place.running.keys() - {SERVE}))


def check(place: Place, command: str) -> None:
    """Check that make knows a target, and that the command behind it exists."""
    (line,) = place.run(command.replace("make", "make -n", 1))
    assert place.run(f"{line.strip()} --help")[0].startswith("Usage: ")


async def test_commands_give_what_the_pages_show(programs: None, own_databases: list[str]) -> None:
    with folder_for_servers() as folder, new_place(folder / "checkout") as place:
        for page in ORDER:
            for block in blocks("console"):
                if block.page == page and reason(block) is None:
                    if page != "README.md":
                        clean(place)
                    run(place, block, own_databases)


def test_every_page_with_commands_is_gone_through() -> None:
    assert {block.page for block in blocks("console")} == {*ORDER, OF_A_MACHINE}


def test_each_preparation_belongs_to_a_block() -> None:
    for page, part in BEFORE:
        assert any(block.page == page and part in block.text for block in blocks("console")), part


@pytest.mark.parametrize("command", ONLY_CHECKED)
def test_commands_that_are_only_checked_are_shown(command: str) -> None:
    assert command in [each for block in blocks("console") for each, _ in commands(block)]


def test_shapes_differ_by_words_and_keys_only() -> None:
    assert shapes("3 events, 12,345 bytes") == shapes("1 events, 7 bytes")
    assert shapes('{"a": 1, "b": ["x"]}') == shapes('{"b": ["y"], "a": 2}')
    assert shapes("3 events") != shapes("3 hours")
    assert shapes('{"a": 1}') != shapes('{"a": "1"}')
    assert shapes('{"message": "one"}') != shapes('{"message": "two"}')
    assert missing(['{"a":1,', ' "b":2}', "one"], ['{"a":3,"b":4}', "two"]) == ["one"]
