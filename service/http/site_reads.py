"""The parts that answer the reads of a site. Each part knows the shards of its site alone (R12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.access.sites import Site
from service.exports.export import Exports
from service.http.live_stream import Live
from service.http.requests import NO_PARAMETERS, Asked, access_of, query_of
from service.questions.annotations import Annotations
from service.questions.goals import Goals
from service.questions.parameters import parse
from service.questions.saved_views import SavedViews
from service.questions.segments import Segments
from service.reports.cohorts import Cohorts
from service.reports.conversions import Conversions
from service.reports.event_list import EventList
from service.reports.funnels import Funnels
from service.reports.paths import Paths
from service.reports.proofs import Proofs
from service.reports.properties import PropertyValues
from service.reports.rollups import Rollups
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.top_keys import TopKeys
from service.reports.trends import Trends
from service.reports.visits import Visits


@dataclass(frozen=True, slots=True)
class Reads:
    """The parts that answer reads."""

    annotations: Annotations
    cohorts: Cohorts
    conversions: Conversions
    events: EventList
    exports: Exports
    funnels: Funnels
    goals: Goals
    live: Live
    paths: Paths
    proofs: Proofs
    properties: PropertyValues
    rollups: Rollups
    saved_views: SavedViews
    segments: Segments
    summary: Summary
    timelines: Timelines
    top_keys: TopKeys
    trends: Trends
    visits: Visits


class SiteReads:
    """The reads of every site. make: makes those of one, which are kept from the first request for it on."""

    def __init__(self, make: Callable[[Site], Reads]) -> None:
        self._make = make
        self._made: dict[int, Reads] = {}

    def of(self, site: Site) -> Reads:
        """Return the reads of a site."""
        if site.number not in self._made:
            # A database that is only migrated halfway has no shards yet; its reads find them later.
            self._made[site.number] = self._make(site)
        return self._made[site.number]

    def asked_by(self, request: Asked) -> Reads:
        """Return the reads of the site that a request is about."""
        return self.of(access_of(request).site)

    def without_parameters(self, request: Asked) -> Reads:
        """Return the reads of a request that takes no parameter but the site. Raises Invalid for any other."""
        parse(query_of(request), NO_PARAMETERS)
        return self.asked_by(request)
