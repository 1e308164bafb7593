"""Random events of a web site's visitors: pages, what is done on them, and revenue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from service.questions.condition_grammar import parse_conditions
from service.questions.filters import Filters
from tests.support.hard_events import Literal, written
from tests.support.log import an_event
from tests.support.oracle import QUARTER
from tests.support.projection import START

# Some events share a moment, so that their positions decide which comes first.
PLACES = [
    timedelta(0),
    timedelta(seconds=1),
    timedelta(seconds=90, microseconds=1),
    QUARTER - timedelta(microseconds=1),
]
PATHS: tuple[Any, ...] = ("/", "/pricing", "/Docs", "/docs", "/" + "x" * 128, "(other)", None, ["/"], Literal("7"))
REVENUES = tuple(
    map(Literal, ("10", "0.1", "0.2", "19.99", "-5", "123456789012.25", '"10"', "null", "9007199254740993", "1e300"))
)
properties = st.fixed_dictionaries(
    {},
    optional={
        "path": st.sampled_from(PATHS),
        "$browser": st.sampled_from(["Firefox", "Safari"]),
        "utm_source": st.sampled_from(["mail", "news"]),
        "revenue": st.sampled_from(REVENUES),
    },
)
# Pages with a path and whole revenues, so that these properties get columns.
uniform = st.fixed_dictionaries(
    {"path": st.sampled_from(["/", "/pricing", "/docs"]), "revenue": st.sampled_from(REVENUES[:2])},
    optional={"$browser": st.sampled_from(["Firefox", "Safari"])},
)
KINDS = ("page_viewed", "page_viewed", "page_viewed", "page_left", "signup")
visited = st.builds(
    lambda number, quarter, place, session, kind, given, user: an_event(
        number,
        at=START + quarter * QUARTER + place,
        session=session,
        kind=kind,
        tool=None,
        properties=None if given is None else written(given),
        user=user,
    ),
    *(st.integers(0, 400), st.sampled_from([-1, 0, 0, 1, 2, 3, 7, 15, 16]), st.sampled_from(PLACES)),
    *(st.sampled_from("abcdef"), st.sampled_from(KINDS), st.none() | uniform | properties),
    st.sampled_from([None, None, "u", "v"]),
)
WHERES = (
    *("", "", "properties.path = /pricing", "properties.$browser = Firefox", "event_type = signup"),
    *("user_id missing", "properties.path != /"),
)
filters = st.sampled_from(WHERES).map(lambda where: Filters(where=parse_conditions(where)))
divisions = st.sampled_from(
    [
        *(("properties", (name,)) for name in ("path", "$browser", "revenue", "none")),
        *((name, None) for name in ("entry_page", "exit_page", "event_type", "session_id", "user_id", "demo_mode")),
    ]
)
