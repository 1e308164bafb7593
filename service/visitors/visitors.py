"""Adds to events of pages what the service tells about their visitor: `$browser`, `$country`, `$source` and others.

It looks at the head of a request once, whatever the number of its events, and at the link of each page view. Events of
programs stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from service.ingest.event import Event
from service.ingest.own_names import OWN, with_members
from service.questions.page_events import PAGE_VIEWED
from service.settings import Settings
from service.visitors.agents import Agent, Agents
from service.visitors.places import NOWHERE, Places
from service.visitors.sources import Link, Sources, host_of

UNKNOWN = Agent()


class _Link(msgspec.Struct):
    """The properties of an event that are about its link. They may be anything."""

    referrer: Any = None
    utm_source: Any = None
    utm_medium: Any = None
    utm_campaign: Any = None


_links = msgspec.json.Decoder(_Link)


class Visitor:
    """Whoever sends events of a page. members: of their properties. sources: None when no source is wanted."""

    def __init__(self, members: str, host: str, wanted: frozenset[str], sources: Sources | None) -> None:
        self._members = members
        self._host = host
        self._wanted = wanted
        self._sources = sources

    def event(self, event: Event) -> Event:
        """Return an event with the properties that the service adds."""
        members = [self._members, self._source_of(event)]
        added = with_members(event.properties, ",".join(filter(None, members)))
        return event if added is event.properties else event._replace(properties=added)

    def _source_of(self, event: Event) -> str:
        sent = event.properties or "{}"
        is_view = event.event_type == PAGE_VIEWED
        if self._sources is None or not (is_view or '"referrer"' in sent or '"utm_' in sent):
            return ""
        found = _links.decode(sent)
        link = Link(*map(_text, (found.referrer, found.utm_source, found.utm_medium, found.utm_campaign)))
        if not (is_view or any(link)):
            return ""
        name, channel = self._sources.of(link, self._host)
        return _members({"source": name, "channel": channel}, self._wanted)


class Visitors:
    """What the settings ask to be told. list_of_sources: its file. folder: for temporary files."""

    def __init__(self, settings: Settings, list_of_sources: Path, folder: Path) -> None:
        wanted = settings.edge_properties
        self._wanted = wanted
        self._agents = Agents() if wanted & {"browser", "os", "device"} else None
        is_placed = settings.geoip is not None and wanted & {"country", "region"}
        self._places = Places(settings.geoip, folder) if settings.geoip is not None and is_placed else None
        self._sources = Sources(list_of_sources) if wanted & {"source", "channel"} else None

    def visitor(self, agent: str, address: str, origin: str) -> Visitor:
        """Return the visitor of a page. origin: of the page, "" when it is not known."""
        told = UNKNOWN if self._agents is None else self._agents.read(agent)
        place = NOWHERE if self._places is None else self._places.place(address)
        members = _members(told._asdict() | place._asdict(), self._wanted)
        return Visitor(members, host_of(origin), self._wanted, self._sources)

    async def follow(self) -> None:
        """Keep up with the file of places, until cancelled."""
        if self._places is not None:
            await self._places.follow()
        await asyncio.Event().wait()


def _members(told: Mapping[str, str | None], wanted: frozenset[str]) -> str:
    """Return the wanted ones as members of a JSON object."""
    found = {f"{OWN}{name}": value for name, value in told.items() if value is not None and name in wanted}
    return msgspec.json.encode(found)[1:-1].decode()


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
