"""Run the tests on PostgreSQL 16; name the queries and functions that they leave out. Exit status: 0 when none."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
import pytest

from tests.version_cover.running import FOLDER, RAN, left_out

TESTS = ("tests/integration", "tests/property")


@click.command(help=__doc__)
@click.option("--workers", default=2, show_default=True, help="Processes that run tests at once.")
def main(workers: int) -> None:
    """Print what is left out, one a line, then a line of counts."""
    with tempfile.TemporaryDirectory(prefix="hourledger-") as name:
        os.environ[FOLDER] = name
        plugin = ("-p", "tests.version_cover.recording")
        ended = pytest.main(["-q", f"--numprocesses={workers}", "--dist=worksteal", *plugin, *TESTS])
        if ended != pytest.ExitCode.OK:
            sys.exit(ended)
        queries, functions, count = left_out(Path(name, RAN))
    for kind, names in (("query", queries), ("function", functions)):
        for each in sorted(names):
            click.echo(f"{kind} {each}: not run")
    click.echo(f"versions: {count} queries and functions, {len(queries) + len(functions)} not run")
    sys.exit(bool(queries or functions))


if __name__ == "__main__":
    main()
