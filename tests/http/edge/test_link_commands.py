"""The command `links`."""

from __future__ import annotations

import re

from tests.http.support.keyed import Guarded
from tests.support.waiting import wait_until

VIEW = "/api/analytics/shared"


def test_links_are_created_listed_and_revoked(keyed_sites: Guarded) -> None:
    site = keyed_sites.site
    created = site.run(
        *("links", "create", "--label", "For the board", "--hours", "48", "--filter", "demo_mode=false"),
        *(
            "--site",
            "blog",
            "--days",
            "2",
            "--origin",
            "https://Wiki.Example/",
            "--address",
            "https://stats.example.com/",
        ),
    )
    assert created.stderr == "links: created a link to the site blog; keep it now: nothing can show it again\n"
    found = re.fullmatch(r"https://stats\.example\.com/shared\?link=(hll_\w{8})#(\w{32})\n", created.stdout, re.ASCII)
    assert found
    prefix, rest = found.groups()
    headers = {"authorization": f"Bearer {prefix}_{rest}"}
    wait_until(lambda: site.client.get(VIEW, headers=headers).is_success, "it counts")
    view = site.client.get(VIEW, headers=headers).json()
    assert (view["site"], view["hours"], view["filters"]) == ("blog", 48, {"demo_mode": "false"})
    (line,) = [line for line in site.run("links", "list").stdout.splitlines() if line.startswith(prefix)]
    assert line.startswith(f"{prefix}  the site blog, 'For the board', the last 48 hours, demo_mode=false, embedded by")
    assert "https://wiki.example, valid until 20" in line
    assert rest not in line
    assert site.run("links", "revoke", prefix).stderr == f"links: {prefix} is revoked\n"
    wait_until(lambda: site.client.get(VIEW, headers=headers).status_code == 401, "it shows nothing any more")
    assert "there is no link" in site.run("links", "revoke", prefix, code=2).stderr
    assert rest not in site.run("links", "revoke", f"{prefix}_{rest}", code=2).stderr


def test_a_range_has_both_ends_and_errors_name_the_field(keyed_sites: Guarded) -> None:
    site = keyed_sites.site
    whole = ("--from", "2026-11-01T00:00Z", "--to", "2026-12-01T00:00Z")
    prefix = site.run("links", "create", *whole).stdout.partition("link=")[2][:12]
    assert "2026-11-01T00:00Z to 2026-12-01T00:00Z" in site.run("links", "list").stdout
    site.run("links", "revoke", prefix)
    for words, told in (
        (("--from", "2026-11-01T00:00Z"), "to must be given"),
        (("--filter", "where=action ="), "where must have a value"),
        (("--filter", "nothing=x"), "expected name=value"),
        (("--origin", "*"), "origins must name the sites"),
        (("--site", "nowhere"), "there is no such site"),
    ):
        assert told in site.run("links", "create", *words, code=2).stderr
