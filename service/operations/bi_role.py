"""The role that reads the views of the schema bi, and the URL by which a tool connects as a member of it."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from sql.database import Database
from sql.errors import DatabaseError

GROUP = "hourledger_bi"
# A login gets these settings from its role. Sessions of the embedded server's owner get them from the URL.
OPTIONS = f"-c role={GROUP} -c statement_timeout=60s -c default_transaction_read_only=on -c timezone=UTC"


class RoleRefused(DatabaseError):
    """The login cannot be made. The message says why."""


async def make_role(url: str, login: str | None, *, embedded: bool) -> list[str]:
    """Make the role and, with `login`, a member of it that logs in with a new password. Return the lines to print.

    Raises RoleRefused, and DatabaseError when the owner of the database may not make roles.
    """
    if login is not None and embedded:
        raise RoleRefused("the embedded PostgreSQL lets in only its own user, without a password: leave out --login")
    password = secrets.token_urlsafe(24)
    database = Database(url, connections=1)
    try:
        made = (await database.only(database.statements.make_bi_role, login, password))["made"]
    finally:
        await database.close()
    if not made:
        raise RoleRefused(f"the role {login} exists, but is not a member of {GROUP}: choose another name")
    if embedded:
        options = urlencode({"options": OPTIONS}, quote_via=quote)
        return [f"while the service runs, connect as its own system user: {url}{'&' if '?' in url else '?'}{options}"]
    if login is None:
        return [f"to make a login a member: grant {GROUP} to …"]
    return [f"connect with: {with_login(url, login, password)}", "the password is not shown again"]


def with_login(url: str, login: str, password: str) -> str:
    """Return a URL with another user and password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{place}"))
