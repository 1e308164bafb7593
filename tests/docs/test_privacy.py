"""The page about privacy names every field, every key of the browser's storage, and the times that hold by default."""

from __future__ import annotations

import re

from service.settings import EDGE_PROPERTIES, load
from tests.docs.pages import ROOT
from tests.http.support.site import Site

PAGE = (ROOT / "docs/privacy.md").read_text()


def section(title: str) -> str:
    """Return the text below a heading, as far as the next one."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def named(text: str) -> set[str]:
    """Return the names in the first cells of the tables."""
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_column_of_the_log_and_what_the_service_tells_is_named(site: Site) -> None:
    columns = {
        row["column_name"]
        for row in site.rows(
            "select column_name from information_schema.columns where table_name = 'events' and table_schema = 'public'"
        )
    }
    # Where an event is in the log says nothing about it.
    told = {f"${name}" for name in EDGE_PROPERTIES}
    assert named(section("What is stored")) == columns - {"shard", "position"} | told


def test_every_key_of_the_browsers_storage_is_named() -> None:
    source = (ROOT / "service/web/client/storage.js").read_text()
    keys = set(re.findall(r'^const [A-Z]+ = "((?:hourledger|cv)_\w+:?)"', source, re.MULTILINE))
    assert len(keys) == 7
    shown = named(section("Where it is, and for how long").partition("**In the visitor")[2])
    assert {name.rstrip("…") for name in shown} == keys


def test_the_times_are_those_that_hold_by_default() -> None:
    settings = load({})
    table = section("Where it is, and for how long")
    assert f"{settings.event_retention_days} days, and up to {settings.grace_days + 1} more" in table
    assert f"| {settings.rollup_retention_days} days; the id of a user" in table
    text = section("A text for your website").replace("\n> ", " ")
    assert f"after {settings.event_retention_days} days" in text
    assert f"after {settings.rollup_retention_days}." in text
    record = section("Record of processing")
    assert f"[{settings.event_retention_days}] days and [{settings.grace_days}] days of grace" in record
    assert f"after [{settings.rollup_retention_days}] days" in record


def test_backups_go_when_the_page_says() -> None:
    unit = (ROOT / "deploy/systemd/hourledger-backup.service").read_text()
    assert "-mtime +13 " in unit  # find counts whole days, so this is more than 14 times 24 hours
    assert "backups after [14] days" in section("Record of processing")
    assert "two weeks with the timer" in section("Where it is, and for how long")
