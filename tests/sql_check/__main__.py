"""Check every SQL file, and look for SQL in the strings of every Python module. Exit status: 0 clean, 1 otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tests.sql_check.archive import check_archive_file, is_of_archive
from tests.sql_check.files import check_file
from tests.sql_check.folders import check_folders
from tests.sql_check.modules import check_module

ROOT = Path(__file__).parents[2]
PACKAGES = ("service", "projections", "sql")


@click.command(help=__doc__)
def main() -> None:
    """Print the problems, then a line of counts."""
    files = sorted((ROOT / "sql").rglob("*.sql"))
    modules = sorted(file for name in PACKAGES for file in (ROOT / name).rglob("*.py"))
    problems = [
        problem for file in files for problem in (check_archive_file(file) if is_of_archive(file) else check_file(file))
    ]
    problems += check_folders(ROOT / "sql")
    problems += [problem for module in modules for problem in check_module(module)]
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"sql: {len(files)} files, {len(modules)} modules, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
