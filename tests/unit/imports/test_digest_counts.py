"""Counting on disk against counting in memory."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing
from hashlib import sha256

from service.imports.digest_counts import Occurrences


def test_counts_are_right_however_often_the_table_grows() -> None:
    chance = random.Random(1)
    expected: Counter[bytes] = Counter()
    with closing(Occurrences(slots=4)) as occurrences:
        for _ in range(5_000):
            digest = sha256(str(chance.randrange(1_500)).encode()).digest()
            assert occurrences.met(digest) == expected[digest]
            expected[digest] += 1
            assert occurrences.add(digest) == expected[digest]
