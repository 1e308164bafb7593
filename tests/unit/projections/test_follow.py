"""How long the projector pauses between folds."""

from __future__ import annotations

import pytest

from projections.follow import IDLE_SECONDS, PAUSE_SECONDS, fold_pause
from projections.projector import FOLD_LIMIT


def test_a_backlog_is_folded_without_a_pause() -> None:
    assert fold_pause(FOLD_LIMIT, IDLE_SECONDS) == 0
    assert fold_pause(1, fold_pause(FOLD_LIMIT, IDLE_SECONDS)) == PAUSE_SECONDS
    assert fold_pause(0, fold_pause(FOLD_LIMIT, IDLE_SECONDS)) == PAUSE_SECONDS


def test_an_idle_projector_looks_ever_less_often_and_wakes_at_once() -> None:
    pauses = [PAUSE_SECONDS]
    while pauses[-1] < IDLE_SECONDS:
        pauses.append(fold_pause(0, pauses[-1]))
    assert pauses[:3] == pytest.approx([PAUSE_SECONDS, 2 * PAUSE_SECONDS, 4 * PAUSE_SECONDS])
    assert fold_pause(0, IDLE_SECONDS) == IDLE_SECONDS
    assert fold_pause(1, IDLE_SECONDS) == PAUSE_SECONDS
