"""Sign-ins: a key for a cookie, which does what the key may, for pages of the service alone, and never sends events."""

from __future__ import annotations

from http.cookies import SimpleCookie
from time import monotonic

import httpx
import pytest

from service.http.cookies import NAME
from service.http.gate import SIGN_IN_PATH, SIGN_OUT_PATH
from tests.http.conftest import ALLOWED_ORIGINS, READ_TOKEN
from tests.http.support.access_table import COLUMNS, MAY, TABLE, Line
from tests.http.support.described import OPERATIONS
from tests.http.support.keyed import CONNECTIONS, Guarded, cookie_of
from tests.http.support.site import Site, an_event, refused, unique
from tests.support.waiting import wait_until

READS = "/api/analytics/summary"
BY = ("read", "admin", "admin of all", "read of another site", "environment read token")
DESCRIBED = {operation.told["operationId"]: operation for operation in OPERATIONS}
SEGMENT = {"filters": {"event_type": "opened"}}


def statuses(found: Guarded, headers: dict[str, str], path: str = READS) -> set[int]:
    """Return what all workers answer: as many connections meet all of them."""
    return {found.site.client.get(path, headers=headers).status_code for _ in range(CONNECTIONS)}


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_a_cookie_may_what_its_key_may_but_for_events(keyed_sites: Guarded, line: Line) -> None:
    seen, expected = {}, {}
    for by in BY:
        status = 401 if line.may == "events" else MAY[line.may][COLUMNS.index(by)]
        answer = keyed_sites.ask(line, "", **keyed_sites.cookie(keyed_sites.keys[by]))
        seen[by], expected[by] = line.told(answer.status_code), line.expected(status)
    assert seen == expected


def test_who_gets_a_cookie(keyed_sites: Guarded) -> None:
    for name, key in keyed_sites.keys.items():
        if not key:
            continue
        answer = keyed_sites.sign_in(key)
        DESCRIBED["signIn"].check(answer)
        expected = 200 if name in BY else 403 if name in ("write", "server", "write of another site") else 401
        assert answer.status_code == expected, name
        assert ("set-cookie" in answer.headers) is (expected == 200)
        assert key[13:] not in answer.text + str(answer.headers)
    told = keyed_sites.sign_in(keyed_sites.keys["admin of all"]).json()
    assert {"default", "blog"} <= set(told.pop("sites"))
    assert told == {
        "ok": True,
        "site": "default",
        "kind": "admin",
        "key": keyed_sites.keys["admin of all"][:12],
        "everywhere": True,
        "signed_in": True,
        "may_change_settings": True,
    }


def test_the_cookie_is_out_of_reach_for_scripts_and_other_pages(keyed_sites: Guarded) -> None:
    key = keyed_sites.keys["read"]
    for proto, secure in (("", False), ("http", False), ("https", True), ("http, https", True)):
        answer = keyed_sites.sign_in(key, **({"x-forwarded-proto": proto} if proto else {}))
        (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
        assert (morsel["httponly"], morsel["samesite"], bool(morsel["secure"])) == (True, "Strict", secure)
        assert (morsel["path"], morsel["max-age"], morsel["domain"]) == ("/", str(30 * 24 * 3600), "")
        assert morsel.value not in keyed_sites.site.log()


def test_a_sign_in_counts_in_every_worker_at_once_and_ends_with_sign_out(keyed_sites: Guarded) -> None:
    headers = keyed_sites.cookie(keyed_sites.keys["read"])
    assert statuses(keyed_sites, headers) == {200}
    assert keyed_sites.site.client.get("/schema", headers=headers).status_code == 200
    told = keyed_sites.site.client.get("/api/analytics/access", headers=headers)
    DESCRIBED["readAccess"].check(told)
    assert (told.json()["signed_in"], told.json()["kind"], told.json()["sites"]) == (True, "read", ["default"])
    other = keyed_sites.cookie(keyed_sites.keys["read"])
    answer = keyed_sites.site.client.post(SIGN_OUT_PATH, headers=headers)
    DESCRIBED["signOut"].check(answer)
    assert cookie_of(answer) == ""
    assert "Max-Age=0" in answer.headers["set-cookie"]
    wait_until(lambda: statuses(keyed_sites, headers), "it has ended", holds=lambda seen: seen == {401})
    assert statuses(keyed_sites, other) == {200}
    assert keyed_sites.site.client.post(SIGN_OUT_PATH, headers=headers).status_code == 200


def test_a_revoked_key_ends_its_sign_ins_in_every_worker(keyed_sites: Guarded) -> None:
    admin = keyed_sites.keys["admin of all"]
    key = keyed_sites.change("POST", "/keys", admin, json={"kind": "read"}).json()["key"]
    wait_until(lambda: keyed_sites.sign_in(key).is_success, "the key is known")
    headers = keyed_sites.cookie(key)
    assert statuses(keyed_sites, headers) == {200}
    assert keyed_sites.change("DELETE", f"/keys/{key[:12]}", admin).status_code == 200
    revoked = monotonic()
    wait_until(lambda: statuses(keyed_sites, headers), "it has ended", holds=lambda seen: seen == {401})
    # On an idle machine it takes at most a second; a busy one may delay the look of a worker.
    assert monotonic() - revoked < 5


def test_a_made_up_cookie_is_nothing(keyed_sites: Guarded) -> None:
    headers = keyed_sites.cookie(keyed_sites.keys["admin"])
    for wrong in (headers["cookie"][:-1], headers["cookie"] + "x", f"{NAME}=hlc_00000000_x", f"{NAME}=", "a=b"):
        refused(keyed_sites.site.client.get(READS, headers={"cookie": wrong}), 401, "unauthorized")
    secret = headers["cookie"].partition("=")[2]
    refused(keyed_sites.site.client.get(READS, headers={"authorization": f"Bearer {secret}"}), 401, "unauthorized")
    assert keyed_sites.site.client.get(READS, headers={"cookie": f"a=b; {headers['cookie']}"}).status_code == 200
    # The key that a program sends counts, not the cookie that a browser adds.
    asked = headers | {"authorization": f"Bearer {keyed_sites.keys['write']}"}
    refused(keyed_sites.site.client.get(READS, headers=asked), 403, "wrong_kind")


def test_a_cookie_never_sends_events(keyed_sites: Guarded) -> None:
    headers = keyed_sites.cookie(keyed_sites.keys["admin of all"])
    assert statuses(keyed_sites, headers) == {200}, "all workers know it"
    for path, body in (("/e", an_event()), ("/e/batch", [an_event()])):
        refused(keyed_sites.site.client.post(path, json=body, headers=headers), 401, "unauthorized")
    secret = headers["cookie"].partition("=")[2]
    refused(keyed_sites.send(secret, an_event()), 401, "unauthorized")


def test_only_pages_of_the_service_change_something_with_a_cookie(guarded: Site) -> None:
    path = f"/api/analytics/segments/{unique('mine')}"
    signed = cookie_of(guarded.client.post(SIGN_IN_PATH, json={"key": READ_TOKEN}))

    def save(**headers: str) -> httpx.Response:
        return guarded.client.put(path, json=SEGMENT, headers={"cookie": f"{NAME}={signed}"} | headers)

    for origin in (*ALLOWED_ORIGINS, "https://evil.example", "null", guarded.running.url + "0"):
        refused(save(origin=origin), 403, "foreign_origin")
        answer = guarded.client.post(SIGN_IN_PATH, json={"key": READ_TOKEN}, headers={"origin": origin})
        refused(answer, 403, "foreign_origin")
        refused(guarded.client.post(SIGN_OUT_PATH, headers={"origin": origin}), 403, "foreign_origin")
    refused(save(), 403, "foreign_origin")
    assert save(origin=guarded.running.url).status_code == 200
    # A page elsewhere that has the token itself may, where its origin is named.
    assert save(origin=ALLOWED_ORIGINS[0], authorization=f"Bearer {READ_TOKEN}").status_code == 200


def test_an_address_that_gives_wrong_keys_must_wait(keyed_sites: Guarded) -> None:
    key, one = keyed_sites.keys["read"], {"x-forwarded-for": "203.0.113.90"}
    answers = [keyed_sites.sign_in("wrong", **one) for _ in range(60)]
    seen = [answer.status_code for answer in answers]
    assert 20 <= seen.count(401) <= 24
    assert set(seen) == {401, 429}
    DESCRIBED["signIn"].check(answers[-1])
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 7
    assert "too many wrong keys came from your address" in refused(answers[-1], 429, "rate_limited")
    assert {keyed_sites.sign_in(key, **one).status_code for _ in range(CONNECTIONS)} == {429}
    assert keyed_sites.sign_in(key, **{"x-forwarded-for": "203.0.113.91"}).status_code == 200
