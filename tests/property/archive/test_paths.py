"""The pages before and after a page are those of a walk through the visits, wherever events are."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.archive.checks import filter_checks
from service.archive.path_questions import Paths
from service.ingest.event import Event
from service.reports.paths import tree
from tests.property.archive.test_answers import asking, placed
from tests.support import web_oracle
from tests.support.funnel_oracle import inside
from tests.support.hard_events import UNTIL
from tests.support.histories import history
from tests.support.projection import START
from tests.support.sent_events import examples
from tests.support.web_events import filters, visited


@given(
    *placed(visited, 10, 40),
    st.lists(
        st.tuples(
            *(st.sampled_from(["/", "/pricing", "/nothing"]), st.booleans(), st.sampled_from([1, 2, 4])),
            *(st.sampled_from([1, 2, 20]), filters),
        ),
        min_size=5,
        max_size=10,
    ),
)
@settings(examples(25), print_blob=True)
async def test_pages_before_and_after(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        pages = dict(web_oracle.views(inside(await log.events(), START, UNTIL)))
        for page, backwards, depth, most, given_filters in asked:
            question = Paths(
                since=START,
                until=UNTIL,
                page=page,
                backwards=backwards,
                depth=depth,
                most=most,
                checks=filter_checks(given_filters),
            )
            passing = {event["session_id"] for event in await log.inside(START, UNTIL, given_filters)}
            visits = [of_session for session, of_session in pages.items() if session in passing]
            assert tree(log.ask(question), page, depth) == web_oracle.path_tree(visits, question), question
