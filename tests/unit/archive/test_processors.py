"""Which processors a question may use, by how many events came since the last one."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from service.archive.processors import Processors


class Machine:
    """A machine whose time and processors are the test's. used: those of the process now."""

    def __init__(self, processors: int) -> None:
        self.now = 0.0
        self.used: Collection[int] = range(processors)
        self.processors = Processors(self.used, self.use, lambda: self.now)

    def use(self, processors: Collection[int]) -> None:
        self.used = processors

    def asked(self, positions: int, after: float = 1.0) -> list[int]:
        """Ask a question; return the processors that it may use."""
        self.now += after
        self.processors.heed(positions)
        return list(self.used)


def test_while_events_come_a_question_has_half_of_the_processors() -> None:
    machine = Machine(4)
    assert machine.asked(1_000_000) == [0, 1, 2, 3], "nothing is known of the time before the first question"
    assert machine.asked(1_000_099) == [0, 1, 2, 3]
    assert machine.asked(1_000_199) == [2, 3]
    assert machine.asked(1_001_199, after=10.0) == [2, 3]
    assert machine.asked(1_002_198, after=10.0) == [0, 1, 2, 3]


def test_a_group_of_events_between_two_quick_questions_says_nothing() -> None:
    machine = Machine(2)
    machine.asked(0)
    assert machine.asked(90, after=0.1) == [0, 1]
    assert machine.asked(90, after=0.9) == [0, 1]
    assert machine.asked(190, after=0.9) == [1]
    assert machine.asked(190, after=0.1) == [1]


@pytest.mark.parametrize(("processors", "left"), [(1, [0]), (2, [1]), (3, [2]), (8, [4, 5, 6, 7])])
def test_ingest_gets_the_larger_half_and_a_question_at_least_one(processors: int, left: list[int]) -> None:
    machine = Machine(processors)
    machine.asked(0)
    assert machine.asked(1_000) == left
