"""The role that reads the views of the schema bi, and how a tool connects as a member of it."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from sql.database import Database
from sql.errors import DatabaseError

GROUP = "hourledger_bi"
# The settings that a login has by itself, given to sessions of the embedded server's owner.
OPTIONS = f"-c role={GROUP} -c statement_timeout=60s -c default_transaction_read_only=on -c timezone=UTC"


class RoleRefused(DatabaseError):
    """The login cannot be made; the message says why."""


async def make_role(url: str, login: str | None, *, embedded: bool) -> list[str]:
    """Make the role, and with `login` a member of it that logs in by a new password; return the lines to print.

    Raises RoleRefused, and DatabaseError where the owner of the database may make no roles.
    """
    if login is not None and embedded:
        raise RoleRefused("the embedded PostgreSQL answers its own user only, without a password: leave out --login")
    password = secrets.token_urlsafe(24)
    database = Database(url, connections=1)
    try:
        made = (await database.only(database.statements.make_bi_role, login, password))["made"]
    finally:
        await database.close()
    if not made:
        raise RoleRefused(f"{login} is another role's name")
    if embedded:
        options = urlencode({"options": OPTIONS}, quote_via=quote)
        return [f"while it runs, as its own user: {url}{'&' if '?' in url else '?'}{options}"]
    if login is None:
        return [f"a login is made a member of it by: grant {GROUP} to …"]
    return [f"connect with: {with_login(url, login, password)}", "the password is not shown again"]


def with_login(url: str, login: str, password: str) -> str:
    """Return a URL with another user and password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{place}"))
