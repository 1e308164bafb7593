"""What a share link shows: a few questions, with the range and the filters of the link and no others.

Everything else is closed to links: single events and people, proofs, exports, metrics, settings, the API's page.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from litestar.types import HTTPScope

from service.access.errors import WrongView
from service.access.rules import Access
from service.questions.divisions import OF_VISITS
from service.questions.parameters import choice, parse
from sql.hourly import DIMENSIONS

VIEW_PATH = "/api/analytics/shared"
# The questions of a link, and the parameters that may come with each. The range and the filters are the link's. No
# comparison, because the range before is not part of the view.
SHOWS: Mapping[str, frozenset[str]] = {
    VIEW_PATH: frozenset(),
    "/api/analytics/summary": frozenset({"interval", "tz", "week_start"}),
    "/api/analytics/top": frozenset({"by", "limit", "metric", "search"}),
    "/api/analytics/trends": frozenset({"metric", "interval", "tz", "week_start", "by", "top"}),
    "/api/analytics/visits": frozenset(),
}
# What may divide them. Ids and other properties may tell who somebody is.
PROPERTIES = (
    *("path", "title", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
    *("screen", "language", "$browser", "$os", "$device", "$country", "$region", "$source", "$channel"),
)
DIVISIONS = (*DIMENSIONS, *OF_VISITS, *(f"properties.{name}" for name in PROPERTIES))
# How questions are asked.
METHODS = ("GET", "OPTIONS")


def shown_by_link(access: Access, path: str, scope: HTTPScope) -> None:
    """Give a request that comes with a link the range and the filters of that link.

    Raises WrongView for a path or a method that is not of the view, and Invalid for a parameter that is not.
    """
    if (link := access.link) is None:
        return
    if path not in SHOWS or scope["method"] not in METHODS:
        raise WrongView("this link shows one view, and this is not part of it")
    given = parse(scope["query_string"], SHOWS[path])
    choice(given, "by", DIVISIONS, DIVISIONS[0])
    if path != VIEW_PATH:
        scope["query_string"] = urlencode({**given, **link.view.filters, **link.view.range}).encode("ascii")
