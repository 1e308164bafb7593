"""Events of a web site with goals, and the numbers that the views of goals and of paths must show for them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal

from tests.browser.support.funnels import percent
from tests.browser.support.web_site import visits
from tests.http.support.site import HOUR, Json, Site, now, text_of
from tests.support.web_oracle import subtree

# A key of more than 128 characters counts as (other).
LONG = "/" + "long" * 40
DEFINED = {
    "Plans seen": {"path": "/pricing"},
    "Sign-up": {"event_type": "signup", "where": "properties.plan = pro", "value": "properties.revenue"},
}


def sent(moment: datetime) -> list[Json]:
    """Return the events of a web site, some of known users, with payments, and with a page of a long path."""
    events = visits(moment)
    for event in events:
        number = int(event["session_id"].removeprefix("visit-"))
        if number % 3 == 0:
            event["user_id"] = f"u-{number % 20}"
        if event["event_type"] == "signup":
            event["properties"]["revenue"] = number + 0.1
    pages = ("/", LONG, "/", LONG)
    for number in range(12):
        for place, path in enumerate(pages[number % 2 :]):
            at = text_of(moment - HOUR + place * HOUR / 60)
            viewed = {"event_type": "page_viewed", "session_id": f"long-{number}", "demo_mode": False}
            events.append(viewed | {"timestamp": at, "event_id": f"l-{number}-{place}", "properties": {"path": path}})
    return sorted(events, key=lambda event: str(event["timestamp"]))


class Sent:
    """A service and the events that it holds."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.events = sent(now())
        site.send(*self.events)

    def figures(self, goal: str, passes: Callable[[Json], object] = bool) -> list[list[str]]:
        """Return what the page writes for the visits with an event that passes."""
        kept = [event for event in self.events if passes(event)]
        whole = {event["session_id"] for event in kept}
        won = [event for event in self.events if REACHES[goal](event) and event["session_id"] in whole]
        reached = {event["session_id"] for event in won}
        who = {str(event["session_id"]): str(event.get("user_id", event["session_id"])) for event in kept}
        written = [
            written_rate({who[session] for session in reached}, {*who.values()}, "visitor"),
            written_rate(reached, whole, "session"),
        ]
        return [*written, ["properties.revenue"]] if "value" in DEFINED[goal] else written

    def by_campaign(self, goal: str, campaign: str) -> list[list[str]]:
        """Return the same for the visits of a campaign."""
        return self.figures(goal, lambda event: event["properties"].get("utm_campaign") == campaign)

    def worth(self) -> Decimal:
        won = [event for event in self.events if REACHES["Sign-up"](event)]
        return sum((Decimal(str(event["properties"]["revenue"])) for event in won), Decimal())

    def tree(self, page: str, *, backwards: bool) -> Json:
        """Return the tree of paths from a page."""
        by_session: dict[str, list[str]] = {}
        for event in self.events:
            if event["event_type"] == "page_viewed":
                path = event["properties"]["path"]
                by_session.setdefault(event["session_id"], []).append("(other)" if path == LONG else path)
        taken = []
        for pages in by_session.values():
            steps = [each for place, each in enumerate(pages) if not place or each != pages[place - 1]]
            if page in steps:
                at = steps.index(page)
                taken.append(steps[at::-1] if backwards else steps[at:])
        return subtree(page, taken, 4, 5)


REACHES: dict[str, Callable[[Json], bool]] = {
    "Plans seen": lambda event: event["event_type"] == "page_viewed" and event["properties"]["path"] == "/pricing",
    "Sign-up": lambda event: event["event_type"] == "signup" and event["properties"]["plan"] == "pro",
}


def written_rate(reached: Collection[str], whole: Collection[str], noun: str) -> list[str]:
    plural = "" if len(whole) == 1 else "s"
    return [f"{len(reached)} of {len(whole)} {noun}{plural}", percent(len(reached) / len(whole))]


def written_tree(node: Json, whole: int, word: str) -> list[list[object]]:
    """Return the rows below a page as the page writes them: key, visits, share, how many left, the rows below."""

    def row(key: str, visits: int, left: int, below: list[list[object]]) -> list[object]:
        return [key, f"{visits}", percent(visits / whole), f"{left} {word}" if left else "", below]

    rows = [row(each["page"], each["visits"], each["left"], written_tree(each, whole, word)) for each in node["next"]]
    return rows + ([row("Further pages", node["other"], 0, [])] if node["other"] else [])
