"""Folders in which files are written before they have their name, and the way to that name.

A writer holds a lock on its folder for as long as it lives. So what a writer left behind that was killed can be told
from what another is writing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from projections.archive.steps import RENAMED, reached
from sql.archive.files import WRITING
from sql.durable import sync
from sql.embedded.disk import Room

LOCK = "lock"
# A folder without a lock may be one whose writer is just about to make it.
UNLOCKED_SECONDS = 60.0
_PIECE = 1024 * 1024


@contextmanager
def writing_folder(archive: Path) -> Iterator[Path]:
    """Give a new folder below the archive directory, which is made when it is missing; remove it after the block."""
    place = archive / WRITING
    make_private(archive)
    make_private(place)
    folder = Path(mkdtemp(dir=place))
    try:
        with (folder / LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders(archive: Path) -> dict[str, OSError]:
    """Remove the folders of writers that are no longer alive.

    Return what stays although no writer holds it, such as a file of another program, by its path below the archive
    directory.
    """
    left: dict[str, OSError] = {}
    place = archive / WRITING
    try:
        for folder in list(place.iterdir()):
            try:
                _remove_left(folder)
            except OSError as error:
                left[f"{WRITING}/{folder.name}"] = error
    except FileNotFoundError:
        return left
    except OSError as error:
        left[WRITING] = error
    return left


def _remove_left(folder: Path) -> None:
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    except BlockingIOError:
        return
    except FileNotFoundError:
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > UNLOCKED_SECONDS:
                shutil.rmtree(folder)


def room_for(archive: Path) -> int:
    """Return how many bytes may be written into the archive. PostgreSQL, if it has the same disk, needs the rest."""
    usage = shutil.disk_usage(archive)
    return usage.free - Room(usage.total, usage.free).needed


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with file.open("rb", buffering=0) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def put_in_place(written: Path, place: Path) -> bool:
    """Give a file that is on disk its name, and wait until the name is on disk, too.

    Return whether the file is there. It may have its name already.
    """
    made = [folder for folder in (place.parent.parent, place.parent) if not folder.exists()]
    for folder in made:
        make_private(folder)
    with suppress(FileNotFoundError):
        written.replace(place)
    reached(RENAMED)
    for folder in (place.parent, *(each.parent for each in made)):
        sync(folder)
    return place.exists()


def remove_file(place: Path) -> None:
    """Delete a file, and wait until its name is gone from the disk. It may be gone already."""
    place.unlink(missing_ok=True)
    if place.parent.is_dir():
        sync(place.parent)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can open, whatever the umask and the folder above allow, unless it is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def close_to_all(file: Path) -> None:
    """Let only the owner of a file read it, because it says what visitors did. Files never change."""
    os.chmod(file, 0o400)  # noqa: PTH101  # as sync, by a name that says what it does
