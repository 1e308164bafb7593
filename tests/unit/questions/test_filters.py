"""Filters that no stored event can pass are refused by name."""

from __future__ import annotations

import pytest

from service.errors import InvalidParameter
from service.questions.filters import TEXTS, filters


@pytest.mark.parametrize("name", TEXTS)
def test_half_a_character_is_refused(name: str) -> None:
    # Python reads a byte that is not UTF-8 from a command line as half a character.
    with pytest.raises(InvalidParameter, match=r"must be UTF-8") as refused:
        filters({name: "a\udcff"})
    assert refused.value.field == name
