"""`health`: asks a running service how it is, for containers and monitors that have no curl."""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import click

from service.commands.running import load_settings
from service.settings import Settings

# The service itself waits up to 3 s for its database.
PATIENCE_SECONDS = 10
# Containers know only 0 and 1, and reserve 2.
UNHEALTHY = 1
# What a service listens on, and where it then answers.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # it is asked, not bound


@click.command()
@click.option("--url", metavar="URL", help="Address of the service. Default: where the settings let it listen.")
@click.option("--live", is_flag=True, help="Ask only whether it answers, not whether it takes events.")
def health(url: str | None, live: bool) -> None:
    """Ask a running service how it is, and print one line.

    Exits 0 when it takes events, also when it is degraded, and 1 when it does not or cannot be reached.
    """
    host = None
    if url is None:
        url, host = _own_address(load_settings())
    is_well, said = ask(url, "live" if live else "ready", host)
    click.echo(f"health: {said}", err=not is_well)
    sys.exit(0 if is_well else UNHEALTHY)


def _own_address(settings: Settings) -> tuple[str, str]:
    """Return the URL of the service with these settings, and a Host that it answers for."""
    host = settings.host.strip("[]")
    host = EVERYWHERE.get(host, host)
    allowed = next((name for name in settings.allowed_hosts if name != "*"), "localhost")
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}", allowed


def ask(url: str, question: str, host: str | None = None) -> tuple[bool, str]:
    """Ask `/health/live` or `/health/ready` of a service; return whether it is well, and what it said.

    url: with the prefix under which it is served. host: a Host other than the one of the URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{url!r} does not begin with http:// or https:// and a name", param_hint="--url")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)
    try:
        headers = {"host": host} if host else {}
        connection.request("GET", f"{parts.path.rstrip('/')}/health/{question}", headers=headers)
        answer = connection.getresponse()
        return answer.status == HTTPStatus.OK, _told(answer.status, answer.read())
    except (OSError, HTTPException) as error:
        return False, f"{url} cannot be reached: {error}"
    finally:
        connection.close()


def _told(status: int, body: bytes) -> str:
    """Return what an answer says; its status when a proxy answered instead."""
    try:
        said: dict[str, Any] = json.loads(body)
        if status != HTTPStatus.OK:
            return str(said["error"]["message"])
        why = "".join(f"; {each}" for each in said.get("degraded", []))
        return f"{said.get('status', 'live')}{why}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {status}, which is no answer of the service"
