"""A backup of a database with days that only the archive has: one tar of the dump and of the files of these days.

It begins with a manifest, so that a bundle that was cut off is known as such.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Sequence
from io import BufferedReader, BytesIO
from pathlib import Path
from tempfile import mkstemp
from typing import IO

import msgspec

from sql.archive.files import MARKER, digest_of, is_file_name
from sql.durable import replace, sync

MANIFEST = "manifest.json"
DUMP = "database.dump"
PIECE = 1024 * 1024


class NotWhole(Exception):
    """A bundle is cut off, or holds something else than its manifest says. The message names what."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle holds.

    archive: the archive's id. dump: SHA-256 in hex. files: names below the archive directory.
    """

    archive: str
    dump: str
    files: list[str]


def write_bundle(place: Path, dump: Path, archive: Path, archive_id: str, files: Sequence[str]) -> list[str]:
    """Write a bundle; return the files that are left out, because they are missing or not what their names say."""
    right = [file for file in files if _is_right(archive / file, file)]
    with dump.open("rb") as content:
        manifest = Manifest(archive_id, hashlib.file_digest(content, "sha256").hexdigest(), right)
    with tarfile.open(place, "w") as bundle:
        _add(bundle, MANIFEST, BytesIO(told := msgspec.json.encode(manifest)), len(told))
        for source, name in ((dump, DUMP), *((archive / file, file) for file in right)):
            with source.open("rb") as content:
                _add(bundle, name, content, os.fstat(content.fileno()).st_size)
    return [file for file in files if file not in right]


def _add(bundle: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o400
    bundle.addfile(member, content)


def _is_right(place: Path, file: str) -> bool:
    try:
        with place.open("rb") as content:
            return is_file_name(file) and hashlib.file_digest(content, "sha256").hexdigest() == digest_of(file)
    except OSError:
        return False


def check_bundle(source: BufferedReader) -> Manifest:
    """Return the manifest of a bundle, once each part is what the manifest and its name say. Raises NotWhole."""
    source.seek(0)
    try:
        with tarfile.open(fileobj=source, mode="r:") as bundle:
            names = bundle.getnames()
            if names[:1] != [MANIFEST]:
                raise NotWhole("it is neither a dump nor a backup with the archive")
            manifest = msgspec.json.decode(_content(bundle, MANIFEST).read(), type=Manifest)
            for name in (DUMP, *manifest.files):
                expected = manifest.dump if name == DUMP else digest_of(name)
                if name not in names or _digest(bundle, name) != expected:
                    raise NotWhole(f"{name} is missing from it, or is not what it was")
    except (tarfile.TarError, msgspec.DecodeError, ValueError, EOFError) as error:
        raise NotWhole(f"it is cut off or damaged: {error}") from error
    return manifest


def _digest(bundle: tarfile.TarFile, name: str) -> str:
    digest = hashlib.sha256()
    content = _content(bundle, name)
    while piece := content.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _content(bundle: tarfile.TarFile, name: str) -> IO[bytes]:
    content = bundle.extractfile(name)
    if content is None:
        raise NotWhole(f"{name} in it is no file")
    return content


def check_folder(archive: Path, archive_id: str) -> None:
    """Raise NotWhole when a folder is the archive of another database."""
    try:
        found = (archive / MARKER).read_text().strip()
    except FileNotFoundError:
        return
    if found != archive_id:
        raise NotWhole(f"{archive} is the archive of another database: set HOURLEDGER_ARCHIVE_DIR to another folder")


def put_files(source: BufferedReader, manifest: Manifest, archive: Path) -> None:
    """Put the files of a checked bundle into the archive, on disk before this returns. Keep those that are right."""
    archive.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(archive / MARKER, f"{manifest.archive}\n".encode())
    source.seek(0)
    with tarfile.open(fileobj=source, mode="r:") as bundle:
        for file in manifest.files:
            if not _is_right(archive / file, file):
                _put(_content(bundle, file), archive / file)


def _put(content: IO[bytes], place: Path) -> None:
    for folder in (place.parent.parent, place.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync(folder.parent)
    descriptor, name = mkstemp(dir=place.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as target:
            shutil.copyfileobj(content, target)
        part.chmod(0o400)
        sync(part)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    sync(place.parent)


def copy_dump(source: BufferedReader, target: IO[bytes]) -> None:
    """Copy the dump of a checked bundle."""
    source.seek(0)
    with tarfile.open(fileobj=source, mode="r:") as bundle:
        shutil.copyfileobj(_content(bundle, DUMP), target)
