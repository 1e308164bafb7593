"""Targets, commands, options, settings, metrics and paths: what exists is documented, and what is documented exists."""

from __future__ import annotations

import re

import click
import pytest

from projections.__main__ import cli as projections
from service.__main__ import cli as service
from tests.docs.pages import ROOT, text

TEXT = text()
MAKEFILE = (ROOT / "Makefile").read_text()
GROUPS: dict[str, click.Group] = {"service": service, "projections": projections}
COMMANDS = {
    f"{group} {name}": command
    for group, cli in GROUPS.items()
    for name in cli.list_commands(click.Context(cli))
    if (command := cli.get_command(click.Context(cli), name))
}
# Parts of another command. Users do not type them.
INNER = {
    *("service demo-trickle", "projections history", "projections quarantine"),
    *("projections person", "projections erase", "projections erasures"),
}
# Paths that only our pages load.
PARTS_OF_PAGES = {"/assets/{}", "/schema/page.js"}
# Of tests, benchmarks and psql, not of the service.
OTHER_SETTINGS = {"TEST_DATABASE_URL", "BENCH_JSON", "ON_ERROR_STOP"}
# Of programs of the system that pages show.
OTHER_OPTIONS = {
    *("--help", "--version", "--data", "--only", "--single-transaction", "--exit-on-error", "--no-owner"),
    *("--no-privileges", "--analyze-only"),
    # apt-get, useradd, install, systemctl, curl
    *("--yes", "--system", "--user-group", "--no-create-home", "--home-dir", "--shell", "--directory", "--owner"),
    *("--group", "--mode", "--now", "--cacert", "--header"),
    # docker, kubectl, pg_dump
    *("--format", "--tag", "--file", "--env-file", "--detach", "--username", "--name", "--restart"),
    *(
        "--read-only",
        "--tmpfs",
        "--shm-size",
        "--cap-drop",
        "--security-opt",
        "--stop-timeout",
        "--publish",
        "--volume",
    ),
    "--rm",
}


def named(pattern: str, *, within: str = TEXT) -> set[str]:
    """Return what the text names; a pattern that finds nothing is wrong."""
    found = set(re.findall(pattern, within, re.MULTILINE))
    assert found
    return found


def test_make_targets() -> None:
    targets = named(r"^([a-z][a-z-]*): ", within=MAKEFILE)
    assert named(r"(?:`|\$ |=\S* )make ([a-z][a-z-]+)\b(?=[`\n \"]|$)") == targets


def test_values_of_make_targets() -> None:
    passed = named(r"[A-Z_]+", within=re.findall(r"^OPTIONS := (.*)$", MAKEFILE, re.MULTILINE)[0])
    written = named(r"[` (]([A-Z][A-Z_]+)=") - OTHER_SETTINGS
    assert {name for name in written if not name.startswith(("HOURLEDGER_", "DATABASE_"))} == passed


def test_commands() -> None:
    written = named(r"python -m ((?:service|projections) [a-z][a-z-]+)")
    through_make = {"service serve", "service import", "service backup", "service restore", "service rollback"}
    through_make |= {"projections rebuild", "service upgrade"}
    assert written | through_make == COMMANDS.keys() - INNER


@pytest.mark.parametrize("command", sorted(named(r"python -m ((?:service|projections) [a-z-]+(?: --[a-z-]+)+)")))
def test_options_that_a_command_is_shown_with(command: str) -> None:
    group, name, *options = command.split()
    known = [option for parameter in COMMANDS[f"{group} {name}"].params for option in parameter.opts]
    assert set(options) <= set(known)


def test_options_that_are_named() -> None:
    inner = [each for group in COMMANDS.values() if isinstance(group, click.Group) for each in group.commands.values()]
    parameters = [parameter for command in (*COMMANDS.values(), *inner) for parameter in command.params]
    known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    assert named(r"(?<![\w-])(--[a-z][a-z-]+)") <= known | OTHER_OPTIONS


def test_settings() -> None:
    source = (ROOT / "service/settings/__init__.py").read_text()
    read = named(r'"(HOURLEDGER_[A-Z_]+|DATABASE_URL)"', within=source)
    assert named(r"\b(?<!TEST_)(HOURLEDGER_[A-Z_]+|DATABASE_URL)\b") == read
    operations = (ROOT / "docs/operations.md").read_text()
    table = operations.partition("## Configuration")[2].partition("\n## ")[0]
    assert named(r"`(HOURLEDGER_[A-Z_]+|DATABASE_URL)`", within=table) == read


def test_metrics() -> None:
    source = "".join((ROOT / "service/http" / name).read_text() for name in ("metrics.py", "database_metrics.py"))
    # prometheus-client adds _total to the names of counters.
    counters = named(r'Counter\(\s*"(hourledger_\w+)"', within=source)
    there = named(r'"(hourledger_\w+)"', within=source)
    written = named(r"\b(hourledger_(?!bi\b|clock\b|outbox|session\b|timed\b|user\b|visitor\b)[a-z_]+)")
    assert written == {name + "_total" if name in counters else name for name in there}


def test_paths() -> None:
    described = set[str]()
    for file in (ROOT / "service/openapi/paths").glob("*.yaml"):
        described |= named(r"^(/\S*):$", within=file.read_text())
    page = (ROOT / "docs/api.md").read_text()
    written = named(r"(?:GET|POST|PUT|DELETE|`|also `|, `)\s?(/[\w/.{}-]*)(?=[`?])", within=page)
    assert without_names(written) - {"/assets/"} == without_names(described) - PARTS_OF_PAGES


def without_names(paths: set[str]) -> set[str]:
    """Return paths that differ by more than the names of their parameters."""
    return {re.sub(r"\{\w+\}", "{}", path) for path in paths}


def test_commands_name_the_python_that_has_the_packages() -> None:
    in_containers = ("docker ", "kubectl ")  # where `python` is that one
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    lines = [line for page in pages for line in page.read_text().splitlines() if page.name != "contributing.md"]
    lines = [line for line in lines if not line.startswith(in_containers)]
    assert [line for line in lines if re.search(r"(?<!\.venv/bin/)python -m (service|projections)\b", line)] == []
