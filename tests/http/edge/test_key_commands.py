"""The command `keys`, and that a key that is revoked stops at once."""

from __future__ import annotations

import re
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from tests.http.support.keyed import CONNECTIONS, Guarded, until
from tests.http.support.site import an_event, refused
from tests.support import plain_http
from tests.support.waiting import wait_until


def keys(found: Guarded, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command `keys`."""
    return found.site.run("keys", *words, code=code)


def test_a_revoked_key_stops_in_all_workers_within_a_second(keyed_sites: Guarded) -> None:
    created = keys(keyed_sites, "create", "--kind", "server", "--label", "soon gone")
    key = created.stdout.strip()
    assert re.fullmatch(r"hls_\w{8}_\w{32}\n", created.stdout, re.ASCII)
    assert created.stderr == (
        "keys: created a server key for the site default; keep it now: nothing can show it again\n"
    )
    until(keyed_sites, key, 200)
    with ExitStack() as stack:
        # Each connection stays with one worker.
        clients = [stack.enter_context(plain_http.new_client(keyed_sites.site.running.url)) for _ in range(CONNECTIONS)]

        def statuses() -> set[int]:
            return {client.post("/e", json=an_event(), headers={"x-write-key": key}).status_code for client in clients}

        assert statuses() == {200}
        keyed_sites.site.rows("update keys set revoked_at = clock_timestamp() where prefix = $1", key[:12])
        revoked = datetime.now(UTC)
        wait_until(statuses, "no worker takes the key", holds=lambda seen: seen == {401})
        # On an idle machine it takes at most a second; a busy one may delay the look of a worker.
        assert datetime.now(UTC) - revoked < timedelta(seconds=5)
    # Its site did not become open.
    refused(keyed_sites.site.client.post("/e", json=an_event()), 401, "unauthorized")


def test_keys_are_listed_rotated_revoked_and_forgotten(keyed_sites: Guarded) -> None:
    key = keys(keyed_sites, "create", "--kind", "write", "--site", "blog", "--label", "pages").stdout.strip()
    until(keyed_sites, key, 200)
    rotated = keys(keyed_sites, "rotate", key[:12], "--overlap", "1")
    newer = rotated.stdout.strip()
    until(keyed_sites, newer, 200)
    until(keyed_sites, key, 200)
    keyed_sites.site.rows("update keys set expires_at = clock_timestamp() where prefix = $1", key[:12])
    until(keyed_sites, key, 401)
    assert "is revoked or expired" in keys(keyed_sites, "rotate", key[:12], code=2).stderr
    assert "is valid: revoke it first" in keys(keyed_sites, "forget", newer[:12], code=2).stderr
    keys(keyed_sites, "revoke", newer[:12])
    until(keyed_sites, newer, 401)
    listed = {line[:12]: line for line in keys(keyed_sites, "list").stdout.splitlines()}
    assert "write key for the site blog, 'pages', created" in listed[key[:12]]
    assert "expired" in listed[key[:12]]
    assert "revoked" in listed[newer[:12]]
    assert not any(text[13:] in line for text in (key, newer) for line in listed.values())
    keys(keyed_sites, "forget", newer[:12])
    assert newer[:12] not in keys(keyed_sites, "list").stdout


def test_the_command_says_what_is_wrong_and_repeats_no_key(keyed_sites: Guarded) -> None:
    key = keyed_sites.keys["read"]
    for words in (("revoke",), ("rotate",), ("forget",)):
        said = keys(keyed_sites, *words, key, code=2).stderr
        assert "must be the first 12 characters" in said
        assert key[13:] not in said
        said = keys(keyed_sites, *words, "hlr_00000000", code=2).stderr
        assert said.splitlines()[-1] == (
            "error: there is no key hlr_00000000; `python -m service keys list` lists the keys"
        )
    assert "not both" in keys(keyed_sites, "create", "--kind=read", "--site=blog", "--all-sites", code=2).stderr
    assert "is over already" in keys(keyed_sites, "create", "--kind=read", "--expires=2020-01-01", code=2).stderr
    assert "no such site" in keys(keyed_sites, "create", "--kind=read", "--site=nowhere", code=2).stderr
