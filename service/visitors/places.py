"""Tells the country and the region of an address from a file in MaxMind's format. The address is never stored."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb
import structlog

from service.access.addresses import address_of

LOOK_SECONDS = 5.0
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
REGION = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)

log = structlog.get_logger(__name__)


class Place(NamedTuple):
    """country: two letters (ISO 3166-1). region: `CH-ZH` (ISO 3166-2). None for what the file does not tell."""

    country: str | None = None
    region: str | None = None


NOWHERE = Place()


class Places:
    """Looks up addresses in a file, and notices when the file was replaced or overwritten.

    folder: for a copy, which is read. A file that is mapped and cut short while it is overwritten would end the
    process. Raises OSError and maxminddb.InvalidDatabaseError when the file cannot be read.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._seen = _state(file)
        self._told: tuple[int, ...] | None = None  # the state whose failure was logged
        self._is_damaged = False
        self._reader = _opened(file, folder)

    def place(self, address: str) -> Place:
        """Return where an address is, as sockets and proxies write it."""
        known = address_of(address)
        if known is None:
            return NOWHERE
        try:
            found = self._reader.get(known)
        except ValueError:  # an address of IPv6, and the file has none
            return NOWHERE
        except maxminddb.InvalidDatabaseError as error:  # opening reads only the end of the file
            self._tell_damage(error)
            return NOWHERE
        return _place(found) if isinstance(found, Mapping) else NOWHERE

    def _tell_damage(self, error: Exception) -> None:
        """Log once for each reading of the file that a part of it is damaged."""
        if not self._is_damaged:
            self._is_damaged = True
            log.warning("a part of the file of places is damaged", file=str(self._file), why=str(error))

    async def follow(self) -> None:
        """Read the file again whenever it changes, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.look_again)

    def look_again(self) -> None:
        """Read the file again if it has changed. When it cannot be read, go on with what it said before."""
        state: tuple[int, ...] = ()
        try:
            state = _state(self._file)
            if state == self._seen:
                return
            self._reader = _opened(self._file, self._folder)  # the former one closes when nothing looks into it
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            if state != self._told:
                self._told = state
                log.warning(
                    "the file of places cannot be read; the former one goes on", file=str(self._file), why=str(error)
                )
            return
        self._seen = state
        self._is_damaged = False
        log.info("the file of places has changed", file=str(self._file))


def _state(file: Path) -> tuple[int, ...]:
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _opened(file: Path, folder: Path) -> maxminddb.Reader:
    number, copy = tempfile.mkstemp(suffix=".mmdb", dir=folder)
    os.close(number)
    try:
        shutil.copyfile(file, copy)
        return maxminddb.open_database(copy)
    finally:
        Path(copy).unlink()  # what is mapped stays


def _place(record: Mapping[str, Any]) -> Place:
    """Return the place of a record: of MaxMind's and of DB-IP's form, or with the country as a text."""
    country = _code(record.get("country", record.get("country_code")), COUNTRY)
    parts = record.get("subdivisions")
    part = _code(parts[0], REGION) if country and isinstance(parts, list) and parts else None
    return Place(country, part and f"{country}-{part}")


def _code(found: object, form: re.Pattern[str]) -> str | None:
    code = found.get("iso_code") if isinstance(found, Mapping) else found
    return code if isinstance(code, str) and form.fullmatch(code) else None
