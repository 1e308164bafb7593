"""Counting on disk, compared with counting in memory."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing
from hashlib import sha256

import pytest

from service.imports.digest_counts import DigestCounts


def test_counts_are_right() -> None:
    chance = random.Random(1)
    expected: Counter[bytes] = Counter()
    with closing(DigestCounts()) as occurrences:
        for _ in range(5_000):
            digest = sha256(str(chance.randrange(1_500)).encode()).digest()
            assert occurrences.met(digest) == expected[digest]
            expected[digest] += 1
            assert occurrences.add(digest) == expected[digest]


def test_a_full_disk_is_an_error_of_the_file() -> None:
    with closing(DigestCounts()) as occurrences:
        occurrences._counts.execute("pragma max_page_count = 3")
        digests = [sha256(str(number).encode()).digest() for number in range(5_000)]
        with pytest.raises(OSError, match="full"):
            list(map(occurrences.add, digests))
