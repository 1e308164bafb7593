"""The output of commands: logs, progress, errors of usage. All go to stderr, because stdout is for data."""

from __future__ import annotations

import getpass
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
import structlog
from structlog.typing import Processor

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_SECONDS = 5.0
# Set by make: what was typed, such as "make import". Errors of usage speak of it, and exit codes fit make.
TYPED = "HOURLEDGER_TYPED"
VERIFY = "make verify"
# An argument or an option, as click quotes it. Make's variables have the same names, except for OUTPUT.
_NAMED = re.compile(r"'(?:--([a-z-]+)|([A-Z]+))'")
_OF_MAKE = {"OUTPUT": "FILE"}


def configure_logs(level: str, *, as_json: bool) -> None:
    """Write logs to stderr, from `level` up, as lines for people or as JSON lines."""
    # Plain tracebacks, because the pretty ones show local variables, and some of these are keys and tokens.
    plain = structlog.dev.plain_traceback
    form: list[Processor] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    if as_json:
        form = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    stamps = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamps, *form],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class CommandFailed(Exception):
    """A command failed. The message is one line."""


class Commands(click.Group):
    """A group of commands, which make may run; see the Makefile. places: the "module:name" of each command."""

    def __init__(self, *arguments: Any, places: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command; return None when there is none of this name."""
        if cmd_name not in self._places:
            return None
        module, name = self._places[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the arguments name. Where make runs it, an error of usage is one line for its users."""
        typed = os.environ.pop(TYPED, None)  # the processes that this command starts were not typed
        ctx.meta[TYPED] = typed is not None
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if typed is None:
                raise
            # The first quoted word is the argument or the option; later ones may be what was given for it.
            said = _NAMED.sub(_of_make, error.format_message(), count=1).rstrip(".")
            click.echo(f"error: {said}; make help lists what {typed} takes", err=True)
            ctx.exit(error.exit_code)


@contextmanager
def codes_for_make() -> Iterator[None]:
    """Exit with 1 where make runs a command that fails, because make adds no line of its own to a 1.

    `verify` keeps its codes, because 1 and 2 differ there.
    """
    typed = os.environ.get(TYPED, VERIFY)
    try:
        yield
    except SystemExit as ended:
        if ended.code and typed != VERIFY:
            raise SystemExit(1) from None
        raise


def option(name: str, value: str = "") -> str:
    """Return an option with its value as the user types it: `HOURS=24` where make runs it, else `--hours 24`."""
    return f"{_variable(name)}={value}" if typed_for_make() else f"--{name} {value}".rstrip()


def switched_on(name: str) -> str:
    """Return an option without a value as the user types it: `FORCE=1` where make runs it, else `--force`."""
    return option(name, "1" if typed_for_make() else "")


def typed_for_make() -> bool:
    """Return whether make runs the command."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(TYPED))


def _of_make(named: re.Match[str]) -> str:
    return f"{_variable(named[1] or named[2])}="


def _variable(name: str) -> str:
    name = name.upper().replace("-", "_")
    return _OF_MAKE.get(name, name)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 hour" or "1,200 hours". noun: in the singular, with a plural in -s."""
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"


def user_name() -> str:
    """Return the name of the user of this machine who runs the command, for records that say who asked."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return f"user {os.getuid()}"


class Meter:
    """Progress of long work: on a terminal a bar with rate and time left, elsewhere a plain line every five seconds."""

    def __init__(self, name: str, total: int, unit: str, bar: Progress | None) -> None:
        self._name = name
        self._total = total
        self._unit = unit
        self._bar = bar
        self._task: TaskID | None = bar.add_task(name, total=total, rate="") if bar else None
        self._started = self._told = monotonic()
        self._done = 0

    def advance(self, count: int) -> None:
        """Count `count` more units as done, and show it."""
        self._done += count
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, rate=self._rate())
        elif monotonic() - self._told >= PLAIN_SECONDS:
            self._told = monotonic()
            of_total = f" of {self._total:,}" if self._total else ""
            print(f"{self._name}: {self._done:,}{of_total} {self._unit}, {self._rate()}", file=sys.stderr)  # noqa: T201

    def _rate(self) -> str:
        return f"{self._done / max(monotonic() - self._started, 0.001):,.0f} {self._unit}/s"


@contextmanager
def progress(name: str, total: int, unit: str) -> Iterator[Meter]:
    """Show the progress of `total` units (0 when unknown) on stderr."""
    if not sys.stderr.isatty():
        yield Meter(name, total, unit, None)
        return
    # rich is slow to load, and only terminals need it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Meter(name, total, unit, bar)


def end_with_stdin() -> None:
    """Send this process SIGTERM when its standard input ends, so that it stops with the process that started it."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):  # not sys.stdin, because a thread that waits in it blocks the exit
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end with stdin", daemon=True).start()
