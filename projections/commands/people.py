"""The commands of people's rights: what is stored about a person, erasing one, and certificates of erasures."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from projections.commands.history import AnotherImport, alone
from projections.commands.running import COULD_NOT, WRONG, run
from projections.erasing.certificate import complete
from projections.erasing.checking import chain_breaks, persons, recorded, site_shards, what_is_wrong
from projections.erasing.erasure import Erasing
from projections.erasing.person import everything, told
from projections.erasing.saved_filters import saved_filters
from projections.erasing.subject import SESSION, USER, Subject, read_key
from projections.history import History
from service.console import counted
from service.erasure_options import erase_options, erasures_options, person_options
from service.settings import Settings
from sql.database import Database
from sql.durable import private, sync

DEFAULT_SITE = 0


class NoSuchSite(OSError):
    """A site that is named does not exist."""


def _subject(user_id: str | None, session_id: str | None) -> Subject:
    if (user_id is None) == (session_id is None):
        raise click.UsageError("give either --user or --session")
    subject = Subject(USER, user_id) if user_id is not None else Subject(SESSION, session_id or "")
    if not subject.id:
        raise click.UsageError(f"--{subject.kind} must not be empty")
    return subject


async def _erasing(database: Database, settings: Settings, site: str | None, subject: Subject) -> Erasing:
    """Return the work on a person. Raises NoSuchSite and sql.errors.DatabaseError."""
    for row in await database.rows(database.statements.list_sites):
        if row["name"] == site or (site is None and row["site"] == DEFAULT_SITE):
            history = History(database, settings.archive_dir, settings.grace_days)
            return Erasing(database, settings.archive_dir, history, row["site"], row["shards"], subject)
    raise NoSuchSite(f"--site {site}: there is no such site; list them with: python -m service sites list")


@click.command(hidden=True)
@person_options
def person(user_id: str | None, session_id: str | None, site: str | None, output: Path | None) -> None:
    """Do the work of `python -m service person`."""
    subject = _subject(user_id, session_id)

    async def work(database: Database, settings: Settings) -> int:
        found = await everything(await _erasing(database, settings, site, subject))
        _write(found, output)
        click.echo(
            f"person: {counted(len(found['events']), 'event')}, {counted(len(found['sessions']), 'session')},"
            f" {counted(found['active_quarters'], 'row')} in rollups",
            err=True,
        )
        return 0

    run(work)


@click.command(hidden=True)
@erase_options
def erase(
    user_id: str | None,
    session_id: str | None,
    site: str | None,
    sessions: str,
    keep_counts: bool,
    dry_run: bool,
    output: Path | None,
) -> None:
    """Do the work of `python -m service erase`."""
    subject = _subject(user_id, session_id)

    async def work(database: Database, settings: Settings) -> int:
        erasing = await _erasing(database, settings, site, subject)
        erasing.named, erasing.keep_counts = sessions == "named", keep_counts
        if not dry_run:
            return await _erase(erasing, settings, output)
        found = await erasing.look()
        saved = await saved_filters(database, erasing.site, [subject.id, *found.sessions])
        answer = told(found, await erasing.rollups([(subject.kind, subject.id)]), saved)
        _write(answer, output)
        click.echo(f"erase: would erase {counted(answer['events'], 'event')}; nothing is erased", err=True)
        return 0

    run(work)


async def _erase(erasing: Erasing, settings: Settings, output: Path | None) -> int:
    _check_new(output)
    key = read_key(settings.erasure_key)
    try:
        with alone(settings.archive_dir):
            outcome = await erasing.run(erasing.subject.hashed(key))
            write = partial(_write, output=output)
            certificate = None if outcome.waits else await complete(erasing.database, outcome, write)
    except AnotherImport as error:
        click.echo(f"error: {error}", err=True)
        return COULD_NOT
    for what, why in outcome.waits.items():
        click.echo(f"erase: {what} waits: {why}", err=True)
    if certificate is None:
        click.echo(f"erase: erasure {outcome.erasure} is not completed: run it again with the same options", err=True)
        return WRONG
    events, renamed = counted(certificate["events"], "event"), counted(certificate["renamed_rows"], "row")
    what = f"{events} erased, {renamed} of rollups renamed; certificate {certificate['certificate']}"
    click.echo(f"erase: erasure {outcome.erasure} is completed: {what}", err=True)
    return 0


@click.command(hidden=True)
@erasures_options
def erasures(checked: BinaryIO | None, replayed: BinaryIO | None) -> None:
    """Do the work of `python -m service erasures`."""
    if checked is not None and replayed is not None:
        raise click.UsageError("give --check or --replay, not both")

    async def work(database: Database, settings: Settings) -> int:
        if replayed is not None:
            return await _replay(database, settings, _documents(replayed))
        wrong = await chain_breaks(database)
        if checked is not None:
            key = read_key(settings.erasure_key, makes=False)
            documents = _documents(checked)
            for document in documents:
                wrong += await what_is_wrong(database, settings.archive_dir, document, key)
            click.echo(f"erasures: {counted(len(documents), 'certificate')} checked", err=True)
        else:
            await _list(database)
        for each in wrong:
            click.echo(f"erasures: {each}", err=True)
        return WRONG if wrong else 0

    run(work)


async def _list(database: Database) -> None:
    rows = await database.rows(database.statements.list_erasures)
    for row in rows:
        bytes_ = {name: value.hex() for name, value in row.items() if isinstance(value, bytes)}
        click.echo(msgspec.json.encode(dict(row) | bytes_).decode())
    waiting = sum(row["completed_at"] is None for row in rows)
    click.echo(f"erasures: {counted(len(rows), 'erasure')}, {waiting:,} not completed", err=True)


def _documents(file: BinaryIO) -> list[dict[str, Any]]:
    """Return the certificates of a file: one JSON object, or one a line. Raises msgspec.DecodeError."""
    content = file.read()
    try:
        return [msgspec.json.decode(content, type=dict[str, Any])]
    except msgspec.DecodeError:
        return msgspec.json.Decoder(dict[str, Any]).decode_lines(content)


async def _replay(database: Database, settings: Settings, documents: list[dict[str, Any]]) -> int:
    key = read_key(settings.erasure_key, makes=False)
    code = 0
    for document in documents:
        number = document.get("certificate")
        try:
            found = await persons(database, settings.archive_dir, document, key)
            shards = await site_shards(database, document.get("site"))
        except ValueError as error:
            raise OSError(f"certificate {number}: {error}") from error
        if not found:
            known = "known" if await recorded(database, document) else "not known"
            click.echo(f"erasures: certificate {number} ({known}): its {document['kind']} is not here", err=True)
        for subject in found:
            history = History(database, settings.archive_dir, settings.grace_days)
            erasing = Erasing(database, settings.archive_dir, history, document["site"], shards, subject)
            erasing.named = document.get("sessions") == "named"
            erasing.keep_counts = document.get("mode") == "keep counts"
            code = max(code, await _erase(erasing, settings, None))
    return code


def _check_new(output: Path | None) -> None:
    if output is not None and os.path.lexists(output):
        raise FileExistsError(f"{output} exists: a certificate overwrites no file, choose another name")


def _write(document: dict[str, Any], output: Path | None) -> None:
    text = msgspec.json.encode(document) + b"\n"
    if output is None:
        click.echo(text.decode(), nl=False)  # flushes
        return
    with open(output, "xb", opener=private) as file:  # Path.open takes no opener
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync(output.parent)
