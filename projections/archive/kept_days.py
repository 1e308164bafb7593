"""Proves the files of a day whose rows are about to go: from then on they are the only copy of its events (R10)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from projections.archive.errors import why
from projections.archive.identity import check_archive
from projections.archive.proof import archived_files, prove
from sql.database import Database


class NotProven(Exception):
    """The archive cannot keep a day now. failed: a file of it is wrong."""

    def __init__(self, hindrance: str, *, failed: bool) -> None:
        super().__init__(hindrance)
        self.failed = failed


async def prove_day(
    database: Database, archive: Path | None, since: datetime, until: datetime, made: Collection[str] = ()
) -> list[str]:
    """Prove the files of a UTC day from themselves, numbers included; return their names. Record nothing.

    made: files that this process has just written, and proven while it did.
    Raises NotProven when one is wrong or known to be damaged, or when the archive cannot be read.
    """
    if archive is None:
        raise NotProven("this process has no archive", failed=False)
    try:
        await check_archive(database, archive)
        files = await archived_files(database, None, since, until)
        # The keeper proves a damaged file again and again. A pass every minute need not.
        for file in (file for file in files if file.damage is not None):
            raise NotProven(f"archive file {file.file} is damaged: {file.damage}", failed=True)
        unproven = [file for file in files if file.file not in made]
        proofs = [proof async for proof in prove(database, archive, unproven, record=False)]
    except OSError as error:
        raise NotProven(f"the archive cannot be read: {why(error)}", failed=False) from error
    for proof in proofs:
        if proof.wrong is not None:
            raise NotProven(f"archive file {proof.file.file} is damaged: {proof.wrong}", failed=True)
    return [*(file.file for file in files if file.file in made), *(proof.file.file for proof in proofs)]
