"""The budgets of bodies: apart for each kind, and a share of them for each address."""

from __future__ import annotations

from time import monotonic

import pytest

from service.errors import QueueFull
from service.ingest import admission
from service.ingest.admission import USED_UP_SECONDS, Admission, Budget

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_a_budget_is_bounded_and_says_when_it_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget("batches", 100)
    budget.hold(60)
    with pytest.raises(QueueFull, match="batches"):
        budget.hold(60)
    assert budget.used_up
    budget.release(60)
    budget.hold(100)
    later = monotonic() + USED_UP_SECONDS
    monkeypatch.setattr(admission, "monotonic", lambda: later)
    assert not budget.used_up


def test_batches_do_not_use_the_budget_of_events() -> None:
    both = Admission()
    with pytest.raises(QueueFull):
        both.batches.hold(admission.MOST_BATCH_BYTES_WAITING + 1)
    assert both.batches.used_up
    assert not both.singles.used_up
    both.singles.hold(admission.MOST_SINGLE_BYTES)


def test_a_queue_that_was_full_says_so_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Admission()
    waiting.available = True
    waiting.check_room(admission.MOST_EVENTS)
    with pytest.raises(QueueFull):
        waiting.check_room(admission.MOST_EVENTS + 1)
    assert waiting.used_up
    later = monotonic() + USED_UP_SECONDS
    monkeypatch.setattr(admission, "monotonic", lambda: later)
    assert not waiting.used_up


def test_an_address_has_a_share_of_what_arrives() -> None:
    budget = Budget("batches", 100)
    budget.arrive(HERE, 20)
    with pytest.raises(QueueFull, match="your address"):
        budget.arrive(HERE, 6)
    budget.arrive(THERE, 25)
    budget.arrived(HERE, 20)
    budget.arrive(HERE, 25)
    assert not budget.used_up
