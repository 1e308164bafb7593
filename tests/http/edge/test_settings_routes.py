"""Settings over HTTP: sites, keys, links and sign-ins, for administrators alone."""

from __future__ import annotations

from datetime import timedelta

import httpx

from tests.http.support.described import OPERATIONS
from tests.http.support.keyed import Guarded
from tests.http.support.site import Json, an_event, now, refused, text_of, unique
from tests.support.waiting import wait_until

DESCRIBED = {operation.told["operationId"]: operation for operation in OPERATIONS}
ENDS = text_of((now() + timedelta(days=1)).replace(microsecond=0))


def told(operation: str, answer: httpx.Response) -> Json:
    """Check that an answer is as described; return it."""
    DESCRIBED[operation].check(answer)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def settings(found: Guarded, key: str) -> Json:
    return told("readSettings", found.change("GET", "", found.keys[key]))


def prefixes(found: Guarded, key: str, what: str) -> set[str]:
    return {row["prefix"] for row in settings(found, key)[what]}


def test_a_key_is_shown_once_and_counts_until_it_is_revoked(keyed_sites: Guarded) -> None:
    admin, label = keyed_sites.keys["admin"], unique("pages")
    body = {"kind": "write", "label": label, "expires_at": ENDS}
    key = told("createKey", keyed_sites.change("POST", "/keys", admin, json=body))["key"]
    wait_until(lambda: keyed_sites.send(key, an_event()).status_code, "it counts", holds=lambda seen: seen == 200)
    answer = keyed_sites.change("GET", "", admin)
    (row,) = [row for row in answer.json()["keys"] if row["prefix"] == key[:12]]
    assert (row["kind"], row["site"], row["label"], row["expires_at"]) == ("write", "default", label, ENDS)
    assert [name for name, known in keyed_sites.keys.items() if known[13:] and known[13:] in answer.text] == []
    assert key[13:] not in answer.text
    told("revokeKey", keyed_sites.change("DELETE", f"/keys/{key[:12]}", admin))
    wait_until(lambda: keyed_sites.send(key, an_event()).status_code, "it has ended", holds=lambda seen: seen == 401)


def test_an_admin_of_one_site_sees_and_changes_what_is_of_that_site(keyed_sites: Guarded) -> None:
    keys = keyed_sites.keys
    own, of_all = settings(keyed_sites, "admin"), settings(keyed_sites, "admin of all")
    assert own["everywhere"] is False
    assert [site["name"] for site in own["sites"]] == ["default"]
    assert {row["site"] for row in own["keys"]} == {"default"}
    assert {"default", "blog", None} <= {row["site"] for row in of_all["keys"]}
    for name in ("read of another site", "admin of all"):
        answer = keyed_sites.change("DELETE", f"/keys/{keys[name][:12]}", keys["admin"])
        refused(answer, 404, "not_found", "prefix")
    keyed_sites.cookie(keys["read of another site"])
    (sign_in, *_) = prefixes(keyed_sites, "admin of all", "sign_ins") - prefixes(keyed_sites, "admin", "sign_ins")
    refused(keyed_sites.change("DELETE", f"/sign-ins/{sign_in}", keys["admin"]), 404, "not_found", "prefix")
    told("endSignIn", keyed_sites.change("DELETE", f"/sign-ins/{sign_in}", keys["admin of all"]))
    body = {"kind": "read"}
    answer = keyed_sites.change("POST", "/keys", keys["admin"], json=body | {"all_sites": True})
    refused(answer, 403, "wrong_site")
    refused(keyed_sites.change("POST", "/keys?site=blog", keys["admin"], json=body), 403, "wrong_site", "site")
    made = told("createKey", keyed_sites.change("POST", "/keys?site=blog", keys["admin of all"], json=body))
    (row,) = [row for row in settings(keyed_sites, "admin of all")["keys"] if row["prefix"] == made["key"][:12]]
    assert row["site"] == "blog"


def test_a_sign_in_is_listed_and_ended_from_elsewhere(keyed_sites: Guarded) -> None:
    headers = keyed_sites.cookie(keyed_sites.keys["admin of all"])
    client, path = keyed_sites.site.client, "/api/analytics/settings"
    answer = client.get(path, headers=headers)
    (own,) = [row for row in told("readSettings", answer)["sign_ins"] if row["current"]]
    assert own["key"] == keyed_sites.keys["admin of all"][:12]
    assert headers["cookie"].partition("=")[2][13:] not in answer.text
    told("endSignIn", client.delete(f"{path}/sign-ins/{own['prefix']}", headers=headers))
    wait_until(lambda: client.get(path, headers=headers).status_code, "it has ended", holds=lambda seen: seen == 401)


def test_sites_are_added_and_renamed(keyed_sites: Guarded) -> None:
    key, name, other = keyed_sites.keys["admin of all"], unique("site")[:30], unique("renamed")[:30]
    body = {"name": name, "time_zone": "Europe/Berlin", "origins": ["https://Shop.Example:443/"]}
    assert told("addSite", keyed_sites.change("POST", "/sites", key, json=body)) == {"ok": True, "name": name}
    refused(keyed_sites.change("POST", "/sites", key, json=body), 422, "name_taken", "name")
    told("renameSite", keyed_sites.change("PUT", f"/sites/{name}", key, json={"name": other}))
    (row,) = [row for row in settings(keyed_sites, "admin of all")["sites"] if row["name"] == other]
    assert (row["time_zone"], row["origins"], row["retired_at"]) == ("Europe/Berlin", ["https://shop.example"], None)
    wrong: list[tuple[Json, str]] = [
        ({"name": "No"}, "name"),
        ({"name": "a", "time_zone": "Nowhere"}, "time_zone"),
        ({"name": "a", "origins": ["shop"]}, "origins"),
    ]
    for body, field in wrong:
        answer = keyed_sites.change("POST", "/sites", key, json=body)
        refused(answer, 400, "invalid_parameter", field)
        DESCRIBED["addSite"].check(answer)


def test_what_the_database_cannot_hold_is_refused_by_name(keyed_sites: Guarded) -> None:
    key = keyed_sites.keys["admin of all"]
    wrong: list[tuple[str, Json, str]] = [
        ("/keys", {"kind": "read", "label": "a\0b"}, "label"),
        ("/keys", {"kind": "read", "label": "x" * 129}, "label"),
        ("/keys", {"kind": "read", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ("/keys", {"kind": "read", "expires_at": "2025-10-18T01:00:00Z"}, "expires_at"),
        ("/keys", {"kind": "other"}, "kind"),
        ("/links", {"expires_at": ENDS, "label": "\0"}, "label"),
        ("/links", {"expires_at": ENDS, "filters": {"action": "\0"}}, "filters"),
        ("/sites", {"name": "\0"}, "name"),
        ("/sites", {"name": "a", "time_zone": "\0"}, "time_zone"),
    ]
    for path, body, field in wrong:
        answer = keyed_sites.change("POST", path, key, json=body)
        assert (answer.status_code, answer.json()["error"].get("field")) == (400, field), answer.text
    for path in ("/keys/%00", "/links/%00", "/sign-ins/%00"):
        refused(keyed_sites.change("DELETE", path, key), 404, "not_found", "prefix")
    answer = keyed_sites.change("PUT", "/sites/%00", key, json={"name": "a"})
    refused(answer, 404, "unknown_site", "site")
    refused(keyed_sites.change("PUT", "/sites/blog", key, json={"name": "\0"}), 400, "invalid_parameter", "name")


def test_the_retention_in_force_is_told(keyed_sites: Guarded) -> None:
    ((event_days, rollup_days, log_days),) = keyed_sites.site.rows(
        "select event_days, rollup_days, log_days from retention_in_force"
    )
    expected = {"event_days": event_days, "rollup_days": rollup_days, "log_days": log_days, "grace_days": 2}
    assert settings(keyed_sites, "admin")["retention"] == expected


def test_settings_are_closed_where_everything_else_is_open(client: httpx.Client) -> None:
    refused(client.get("/api/analytics/settings"), 401, "unauthorized")
    refused(client.post("/api/analytics/settings/keys", json={"kind": "admin"}), 401, "unauthorized")
    access = client.get("/api/analytics/access").json()
    assert (access["kind"], access["may_change_settings"], access["sites"]) == (None, False, ["default"])
