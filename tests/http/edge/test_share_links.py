"""Share links: each shows one range of one site with its filters, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.http.gate import SIGN_IN_PATH
from service.http.shared_view import SHOWS, VIEW_PATH
from service.questions.filters import NAMES
from tests.http.support.access_table import LET_IN, TABLE, Line
from tests.http.support.described import OPERATIONS
from tests.http.support.keyed import CONNECTIONS, Guarded
from tests.http.support.site import Json, an_event, now, refused, text_of, unique
from tests.support.waiting import wait_until

ENDS = text_of((now() + timedelta(days=1)).replace(microsecond=0))
EMBEDDER = "https://wiki.example"
SUMMARY = "/api/analytics/summary"
QUESTIONS = sorted(SHOWS.keys() - {VIEW_PATH})
DESCRIBED = {operation.told["operationId"]: operation for operation in OPERATIONS}


@dataclass(frozen=True)
class Shared:
    """A service, and a link to the events of one type on its default site."""

    found: Guarded
    secret: str
    kind: str
    session: str

    def get(self, path: str, secret: str = "", **query: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {secret or self.secret}"}
        return self.found.site.client.get(path, headers=headers, params={key: str(text) for key, text in query.items()})

    def wait(self, secret: str, status: int) -> None:
        """Wait until all workers answer so to a link."""
        wait_until(
            lambda: {self.get(SUMMARY, secret).status_code for _ in range(CONNECTIONS)},
            f"all workers answer {status}",
            holds=lambda seen: seen == {status},
        )


def link(found: Guarded, **body: Any) -> str:
    """Create a link; return its secret."""
    answer = found.change("POST", "/links", found.keys["admin"], json={"expires_at": ENDS} | body)
    assert answer.status_code == 200, answer.text
    DESCRIBED["createLink"].check(answer)
    told = answer.json()
    assert told["address"] == f"shared?link={told['secret'][:12]}#{told['secret'][13:]}"
    return str(told["secret"])


@pytest.fixture(scope="module")
def shared(keyed_sites: Guarded) -> Shared:
    kind, session = unique("shown"), unique("s")
    for event_type in (kind, kind, unique("hidden")):
        event = an_event(event_type=event_type, session_id=session, user_id=f"u-{session}", action="run")
        assert keyed_sites.send(keyed_sites.keys["write"], event).status_code == 200
    filters = {"event_type": kind}
    secret = link(keyed_sites, label="For the board", hours=24, filters=filters, origins=[EMBEDDER])
    found = Shared(keyed_sites, secret, kind, session)
    found.wait(secret, 200)
    return found


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_a_link_opens_its_view_alone(shared: Shared, line: Line) -> None:
    answer = shared.found.ask(line, shared.secret)
    is_view = line.path in SHOWS and line.method in ("GET", "OPTIONS")
    opens = line.may == "open" or is_view
    status = 200 if line.path == VIEW_PATH and line.method == "GET" else line.expected(LET_IN)
    assert answer.status_code == (status if opens else 403), answer.text
    if not opens:
        assert answer.json()["error"]["code"] in ("wrong_view", "wrong_kind", "wrong_site")
    if not opens or is_view:
        assert shared.session not in answer.text


def test_a_path_that_the_table_does_not_name_is_closed(shared: Shared) -> None:
    for path in ("/nothing", "/api/analytics/sessions/x", "/api/analytics/summary/x", "/schema", "/assets"):
        refused(shared.get(path), 403, "wrong_view")


def test_its_numbers_are_those_of_its_filters_and_its_range(shared: Shared) -> None:
    view = shared.get(VIEW_PATH)
    DESCRIBED["readSharedView"].check(view)
    assert view.json() == {
        "ok": True,
        "site": "default",
        "label": "For the board",
        "hours": 24,
        "from": None,
        "to": None,
        "filters": {"event_type": shared.kind},
        "expires_at": ENDS,
    }
    admin = {"authorization": f"Bearer {shared.found.keys['admin']}"}
    asked: list[tuple[str, Json]] = [
        (SUMMARY, {"interval": "hour"}),
        ("/api/analytics/top", {"by": "action"}),
        ("/api/analytics/top", {"by": "properties.$browser", "metric": "visitors"}),
        ("/api/analytics/trends", {"metric": "events", "interval": "hour", "by": "event_type", "top": 5}),
    ]
    for path, query in asked:
        seen = shared.get(path, **query)
        assert seen.status_code == 200, seen.text
        params = query | {"hours": 24, "event_type": shared.kind}
        own = shared.found.site.client.get(path, params=params, headers=admin)
        assert timeless(seen.json()) == timeless(own.json())
        assert shared.session not in seen.text
    assert shared.get(SUMMARY).json()["totals"]["events"] == 2


def timeless(answer: Json) -> Json:
    """Return an answer without what moves on while others send."""
    return {name: value for name, value in answer.items() if name not in ("as_of", "source")}


@pytest.mark.parametrize("name", sorted(NAMES | {"hours", "from", "to", "compare", "cursor", "fill", "link"}))
def test_a_question_cannot_change_its_filters_or_its_range(shared: Shared, name: str) -> None:
    for path in QUESTIONS:
        for value in ("", "1", shared.kind):
            refused(shared.get(path, **{name: value}), 400, "unknown_parameter", name)
    encoded = "".join(f"%{ord(letter):02x}" for letter in name)
    headers = {"authorization": f"Bearer {shared.secret}"}
    refused(shared.found.site.client.get(f"{SUMMARY}?{encoded}=1", headers=headers), 400, "unknown_parameter", name)


@pytest.mark.parametrize("by", ["session_id", "user_id", "properties.email", "properties.path.name"])
def test_a_question_cannot_tell_who_somebody_is(shared: Shared, by: str) -> None:
    for path in ("/api/analytics/top", "/api/analytics/trends"):
        refused(shared.get(path, by=by), 400, "invalid_parameter", "by")


def test_another_site_is_closed_and_a_link_is_neither_key_nor_cookie(shared: Shared) -> None:
    for site in ("blog", "nowhere", ""):
        refused(shared.get(SUMMARY, site=site), 403, "wrong_site", "site")
    assert shared.get(SUMMARY, site="default").status_code == 200
    client = shared.found.site.client
    refused(client.post(SIGN_IN_PATH, json={"key": shared.secret}), 401, "unauthorized")
    refused(client.get(SUMMARY, headers={"cookie": f"hourledger_sign_in={shared.secret}"}), 401, "unauthorized")


def test_only_the_origins_of_a_link_may_embed_its_page(shared: Shared) -> None:
    def ancestors(path: str) -> str:
        answer = shared.found.site.client.get(path)
        assert answer.status_code == 200
        return str(answer.headers["content-security-policy"].partition("frame-ancestors ")[2])

    prefix = shared.secret[:12]
    for _ in range(CONNECTIONS):
        assert ancestors(f"/shared?link={prefix}&utm_source=mail") == EMBEDDER
    for path in ("/", "/shared", "/shared?link=hll_00000000", f"/shared?link={prefix[:-1]}", f"/?link={prefix}"):
        assert ancestors(path) == "'none'"
    DESCRIBED["readSharedPage"].check(shared.found.site.client.get(f"/shared?link={prefix}"))
    for wrong in ("*", "wiki", "https://a.example;script-src *", "https://a.example/path"):
        body = {"expires_at": ENDS, "origins": [wrong]}
        answer = shared.found.change("POST", "/links", shared.found.keys["admin"], json=body)
        refused(answer, 400, "invalid_parameter", "origins")


def test_a_link_ends(shared: Shared) -> None:
    secret = link(shared.found)
    shared.wait(secret, 200)
    expire = "update share_links set expires_at = now() - interval '1 second' where prefix = $1"
    shared.found.site.rows(expire, secret[:12])
    shared.wait(secret, 401)
    assert "this link has expired" in refused(shared.get(VIEW_PATH, secret), 401, "unauthorized")
    secret = link(shared.found)
    shared.wait(secret, 200)
    answer = shared.found.change("DELETE", f"/links/{secret[:12]}", shared.found.keys["admin"])
    DESCRIBED["revokeLink"].check(answer)
    assert answer.status_code == 200
    shared.wait(secret, 401)
    for wrong in (secret, shared.secret[:-1], shared.secret + "x", "hll_"):
        refused(shared.get(SUMMARY, wrong), 401, "unauthorized")
    assert secret not in shared.found.site.log()


REFUSALS: list[tuple[Callable[[], Json], str]] = [
    (lambda: {"expires_at": text_of(now() - timedelta(seconds=1))}, "expires_at"),
    (lambda: {"hours": 0}, "hours"),
    (lambda: {"hours": 5, "from": "2025-10-18T01:00Z", "to": "2025-10-18T02:00Z"}, "hours"),
    (lambda: {"from": "2025-10-18T01:05Z", "to": "2025-10-18T02:00Z"}, "from"),
    (lambda: {"filters": {"nothing": "x"}}, "filters.nothing"),
    (lambda: {"filters": {"where": "action ="}}, "filters.where"),
    (lambda: {"filters": {"segment": "no-such"}}, "filters.segment"),
    (lambda: {"label": "x" * 129}, "label"),
    (lambda: {"nothing": 1}, "nothing"),
]


@pytest.mark.parametrize(("body", "field"), REFUSALS, ids=[field for _, field in REFUSALS])
def test_a_view_that_could_not_be_asked_for_is_refused(
    keyed_sites: Guarded, body: Callable[[], Json], field: str
) -> None:
    answer = keyed_sites.change("POST", "/links", keyed_sites.keys["admin"], json={"expires_at": ENDS} | body())
    assert (answer.status_code, answer.json()["error"].get("field")) == (400, field), answer.text
    DESCRIBED["createLink"].check(answer)


def test_a_segment_that_changes_later_does_not_widen_a_link(shared: Shared) -> None:
    name = unique("segment")
    path, key = f"/api/analytics/segments/{name}", shared.found.keys["admin"]
    headers = {"authorization": f"Bearer {key}"}
    saved = {"event_type": shared.kind, "where": "action = run"}
    assert shared.found.site.client.put(path, json={"filters": saved}, headers=headers).status_code == 200
    secret = link(shared.found, filters={"segment": name, "where": "user_id exists"})
    assert shared.found.site.client.put(path, json={"filters": {"action": "x"}}, headers=headers).status_code == 200
    shared.wait(secret, 200)
    expected = {"event_type": shared.kind, "where": "action = run and user_id exists"}
    assert shared.get(VIEW_PATH, secret).json()["filters"] == expected
    assert shared.get(SUMMARY, secret).json()["totals"]["events"] == 2
    body = {"expires_at": ENDS, "filters": {"segment": name, "action": "y"}}
    answer = shared.found.change("POST", "/links", key, json=body)
    assert "differs from that of the segment" in refused(answer, 400, "invalid_parameter", "filters.action")
