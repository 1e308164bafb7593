"""Events of a web site: visits with pages, campaigns and sign-ups over a few days."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from tests.http.support.site import HOUR, Json, text_of

HOURS = 60
PATHS = ("/", "/pricing", "/docs", "/docs/start", "/blog/launch", "/about")
REFERRERS = ("https://news.example/item", "https://search.example/", "")
CAMPAIGNS = ("spring", "launch", "")


def visits(now: datetime) -> list[Json]:
    """Return the events up to now, oldest first; the same moment gives the same events."""
    random = Random(7)
    events: list[Json] = []
    for number in range(HOURS * 3):
        began = now - timedelta(minutes=2) - random.random() * HOURS * HOUR
        pages = random.choices(PATHS, (9, 5, 4, 3, 2, 1), k=random.choice((1, 1, 2, 3, 4)))
        session: Json = {"session_id": f"visit-{number}", "demo_mode": False}
        referrer, campaign = random.choice(REFERRERS), random.choice(CAMPAIGNS)
        arrival = {"referrer": referrer} if referrer else {}
        arrival |= {"utm_campaign": campaign, "utm_source": "letter"} if campaign else {}
        for place, path in enumerate(pages):
            seen = min(began + place * timedelta(seconds=40), now)
            kept = {"path": path, "title": path, "language": random.choice(("de-CH", "en"))} | (
                {} if place else arrival
            )
            events.append(
                session
                | {"event_type": "page_viewed", "timestamp": text_of(seen), "tool_name": path, "properties": kept}
            )
        if "/pricing" in pages and random.random() < 0.4:
            at = min(began + len(pages) * timedelta(seconds=40), now)
            plan = random.choice(("free", "pro"))
            events.append(session | {"event_type": "signup", "timestamp": text_of(at), "properties": {"plan": plan}})
    numbered = sorted(events, key=lambda event: str(event["timestamp"]))
    return [event | {"event_id": f"web-{place}"} for place, event in enumerate(numbered)]
