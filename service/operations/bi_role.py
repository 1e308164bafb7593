"""The role that reads the views of the schema bi, and the URL by which a tool connects as a member of it."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlsplit, urlunsplit

from sql.database import Database
from sql.embedded.configuration import READERS
from sql.errors import DatabaseError


class RoleRefused(DatabaseError):
    """The login cannot be made. The message says why."""


async def make_role(url: str, login: str | None) -> list[str]:
    """Make the role and, with `login`, a member of it that logs in with a new password. Return the lines to print.

    Raises RoleRefused, and DatabaseError when the owner of the database may not make roles.
    """
    password = secrets.token_urlsafe(24)
    database = Database(url, connections=1)
    try:
        made = (await database.only(database.statements.make_bi_role, login, password))["made"]
    finally:
        await database.close()
    if not made:
        raise RoleRefused(f"the role {login} exists, but is not a reader's login: choose another name")
    if login is None:
        return [f"--login NAME makes a login that is a member of {READERS}"]
    return [f"connect with: {with_login(url, login, password)}", "the password is not shown again"]


def with_login(url: str, login: str, password: str) -> str:
    """Return a URL with another user and password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{place}"))
