"""The page about deployment is followed, on a machine of its own, to an event that is stored behind TLS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.machine import follow, why_not
from tests.docs.pages import blocks
from tests.docs.place import commands
from tests.docs.shapes import missing
from tests.docs.test_commands import OF_A_MACHINE

# The sections in the order in which a reader with nginx goes through them.
ORDER = ("A server with Debian", "nginx", "Commands on this server", "Upgrade")


def test_a_reader_gets_from_nothing_to_an_upgrade(tmp_path: Path) -> None:
    if why := why_not():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    found = [block for block in blocks("console") if block.page == OF_A_MACHINE]
    typed = [each for heading in ORDER for block in found if block.heading == heading for each in commands(block)]
    done = follow([command for command, _ in typed], tmp_path)
    assert done.failed == ""
    for (command, shown), lines in zip(typed, done.outputs, strict=True):
        assert not missing(shown, lines), f"{command} gave\n" + "\n".join(lines)


def test_every_section_with_commands_is_gone_through() -> None:
    assert {block.heading for block in blocks("console") if block.page == OF_A_MACHINE} == set(ORDER)
