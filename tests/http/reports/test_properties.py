"""The properties of events over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.http.support.known import Known
from tests.http.support.site import HOUR, RAW, Json, Site, an_event, hour_start, now, refused, text_of, unique

PROPERTIES = "/api/analytics/properties"
NONE = dict.fromkeys(("string", "number", "boolean", "object", "array", "null"), 0)


def by_name(answer: Json) -> dict[str, Json]:
    return {each["property"]: each for each in answer["properties"]}


def told(events: int, distinct: int, values: list[tuple[Any, int]], other: int = 0, **types: int) -> Json:
    """Return the answer about a property, without its name."""
    named = [{"value": value, "events": count} for value, count in values]
    return {"events": events, "types": NONE | types, "values": named, "distinct": distinct, "other": other}


def test_types_and_values_are_told_and_can_be_asked_for(site: Site) -> None:
    kind = unique("kind")
    long = "x" * 257
    sent: list[Json | None] = [
        {"plan": "pro", "page": {"path": "/a", "odd name": 1}, "n": 1},
        {"plan": "pro", "page": {"path": "/b", "odd name": 1}, "n": "1"},
        {"plan": "free", "page": {"path": "/a"}, "n": True, "list": [1]},
        {"plan": long, "n": None},
        None,
    ]
    site.send(*(an_event(event_type=kind, properties=properties) for properties in sent))
    answer = site.get(PROPERTIES, event_type=kind)
    assert list(answer) == ["ok", "from", "to", "source", "events", "properties", "more"]
    assert answer["source"] in RAW
    assert (answer["events"], answer["more"]) == (5, 0)
    assert [each["property"] for each in answer["properties"]] == [
        *("n", "plan", "page", "page.path", 'page."odd name"', "list")
    ]
    found = {
        name: {key: held for key, held in each.items() if key != "property"} for name, each in by_name(answer).items()
    }
    assert found["plan"] == told(4, 2, [("pro", 2), ("free", 1)], other=1, string=4)
    assert found["page"] == told(3, 0, [], object=3)
    assert found["page.path"] == told(3, 2, [("/a", 2), ("/b", 1)], string=3)
    assert found['page."odd name"'] == told(2, 1, [(1, 2)], number=2)
    assert found["list"] == told(1, 0, [], array=1)
    numbers = found["n"]
    assert [str(row["value"]) for row in numbers.pop("values")] == ["1", "1", "True"]
    assert numbers == {
        key: held for key, held in told(4, 3, [], string=1, number=1, boolean=1, null=1).items() if key != "values"
    }
    for name, of_property in found.items():
        one = site.get(PROPERTIES, event_type=kind, property=name)
        assert one["properties"] == [{"property": name, **of_property, "values": by_name(answer)[name]["values"]}]
        listed = site.get("/api/analytics/track", event_type=kind, where=f"properties.{name} exists")
        assert listed["total_in_range"] == of_property["events"] - of_property["types"]["null"]
    (limited,) = site.get(PROPERTIES, event_type=kind, property="plan", limit=1)["properties"]
    assert (limited["values"], limited["distinct"], limited["other"]) == ([{"value": "pro", "events": 2}], 2, 2)
    assert site.get(PROPERTIES, event_type=kind, property="nothing")["properties"] == []
    assert site.get(PROPERTIES, event_type=kind, where="properties.plan = free")["events"] == 1


def test_the_most_common_are_named_and_the_others_counted(site: Site) -> None:
    kind = unique("kind")
    site.send(
        *(an_event(event_type=kind, properties={"common": 1, **{f"p{n}": n for n in range(150)}}) for _ in range(2)),
        an_event(event_type=kind, properties={"common": 2, **{f"q{n}": n for n in range(150)}}),
    )
    answer = site.get(PROPERTIES, event_type=kind)
    assert (len(answer["properties"]), answer["more"]) == (200, 101)
    assert answer["properties"][0]["property"] == "common"
    assert [each["events"] for each in answer["properties"]] == [3] + [2] * 150 + [1] * 49


def test_a_range_is_half_open_and_cut_to_what_is_kept(known: Known) -> None:
    until = hour_start(now())
    answer = known.site.get(PROPERTIES, **{"from": text_of(until - 10 * HOUR), "to": text_of(until)})
    inside = known.between(until - 10 * HOUR, until)
    assert answer["events"] == len(inside)
    having = [event for event in inside if "risk_mode" in (event.get("properties") or {})]
    assert by_name(answer)["risk_mode"]["events"] == len(having)
    whole = known.site.get(PROPERTIES, hours=8_784)
    assert datetime.fromisoformat(whole["from"]) > now() - 300 * HOUR
    old = {"from": "2024-01-01T00:00Z", "to": "2024-01-02T00:00Z"}
    refused(known.site.client.get(PROPERTIES, params=old), 422, "expired", "to")


@pytest.mark.parametrize(
    ("query", "name"),
    [("limit=101", "limit"), ("limit=0", "limit"), ('property="\\x"', "property"), ("hours=0", "hours")],
)
def test_what_cannot_be_asked_is_refused_by_name(client: httpx.Client, query: str, name: str) -> None:
    refused(client.get(f"{PROPERTIES}?{query}"), 400, "invalid_parameter", name)


def test_the_token_is_needed(guarded: Site) -> None:
    refused(guarded.client.get(PROPERTIES), 401, "unauthorized")
