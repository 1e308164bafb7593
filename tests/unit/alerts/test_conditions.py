"""The sentences of rules: each is read as it was written, and others are refused with what would be right."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.alerts.conditions import LONGEST, METRICS, Bound, Condition, Silence, State, condition_of
from service.errors import InvalidParameter
from tests.support.sent_events import examples

QUARTER = timedelta(minutes=15)
quarters = st.integers(1, LONGEST // QUARTER).map(lambda number: number * QUARTER)
bounds = st.integers(0, 10**9).map(lambda number: number / 100)
names = st.from_regex(r"[a-z][a-z_ ]{0,20}[a-z]", fullmatch=True).map(lambda name: " ".join(name.split()))
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.sampled_from(State),
    st.integers(1, LONGEST // timedelta(minutes=1)).map(lambda minutes: Silence(timedelta(minutes=minutes))),
    st.builds(Bound, st.sampled_from(METRICS), st.booleans(), bounds, quarters, st.booleans(), st.none()),
    st.builds(Bound, st.just("events"), st.booleans(), bounds, quarters, st.booleans(), names),
)


@given(conditions)
@examples(100)
def test_a_condition_is_read_as_it_was_written(condition: Condition) -> None:
    assert condition_of(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("  events   above 10 in 1 hour ", "events above 10 in 1 hour"),
        ("events above 10.50 in 60 minutes", "events above 10.5 in 1 hour"),
        ("events of signed up below 1 in 1 day", "events of signed up below 1 in 1 day"),
        ("sessions below 50% of usual in 24 hours", "sessions below 50% of usual in 1 day"),
        ("no events for 90 minutes", "no events for 90 minutes"),
        ("failed proof", "failed proof"),
    ],
)
def test_what_people_type_is_read(text: str, read: str) -> None:
    assert str(condition_of(text)) == read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be a sentence such as"),
        ("events above ten in 1 hour", "must be a sentence such as"),
        ("events above -1 in 1 hour", "must be a sentence such as"),
        ("Events above 1 in 1 hour", "must be a sentence such as"),
        ("events above 1 in 10 minutes", "must be about whole quarters of an hour"),
        ("events above 1 in 0 hours", "must be about 1 minute to 28 days"),
        ("events above 1 in 29 days", "must be about 1 minute to 28 days"),
        ("no events for 99999 days", "must be about 1 minute to 28 days"),
        ("sessions of bought above 1 in 1 hour", "can count 'events of' a type"),
        ("full disk", "or one of 'failed proof', 'low disk'"),
    ],
)
def test_other_sentences_are_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        condition_of(text)
    assert told in refused.value.message
    assert refused.value.field == "condition"
