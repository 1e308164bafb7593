"""Changes of a file of the archive behind hourledger's back."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path, random.Random], None]


def _rewrite(file: Path, content: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(content)


def flip_a_bit(file: Path, chance: random.Random) -> None:
    """Change one bit, anywhere."""
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    _rewrite(file, bytes(content))


def truncate(file: Path, chance: random.Random) -> None:
    """Cut off the end."""
    content = file.read_bytes()
    _rewrite(file, content[: chance.randrange(len(content))])


def lose(file: Path, _: random.Random) -> None:
    """Delete the file."""
    file.unlink()


def put_another_in_its_place(file: Path, chance: random.Random) -> None:
    """Put the content of another file of the archive there."""
    others = sorted(other for other in file.parents[2].rglob("*.parquet") if other != file)
    _rewrite(file, chance.choice(others).read_bytes())


def put_something_foreign_in_its_place(file: Path, chance: random.Random) -> None:
    """Put as many bytes there that are no Parquet file."""
    _rewrite(file, chance.randbytes(file.stat().st_size))


FILE_DAMAGES: dict[str, Damage] = {
    "a flipped bit": flip_a_bit,
    "truncated": truncate,
    "missing": lose,
    "swapped": put_another_in_its_place,
    "foreign": put_something_foreign_in_its_place,
}
