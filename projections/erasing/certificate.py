"""Certificates of erasures. Each proves what went, and does not tell whose it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from projections.erasing.erasure import Outcome
from projections.erasing.moments import utc_text
from sql import VERSION
from sql.database import Database

NOT_COVERED = (
    "backups made before completed_at: after one is restored, run `erasures --replay` with this file",
    "files of exports and rejected rows, and copies that readers of the SQL views have made",
    "PostgreSQL's write-ahead log, and free space of its pages, until they are overwritten",
    "the planner's statistics of tables that became empty, before PostgreSQL 18",
    "conditions of quarantines and of alerts, notes on the chart, and reasons of amendments, where the name was typed",
    "segments, goals and saved views that find the person by a part of the id",
    (
        "seals of before, and other amendments of the same hours: they keep digests of whole events, with their random"
        " ids. Nobody learns a name from those, but who guesses a whole event can test the guess"
    ),
    "names in event_type, tool_name and action, where a sender has put a person there",
    "the person's own browser, whose outbox may send again: that is answered as a duplicate, and not stored",
)


async def complete(database: Database, outcome: Outcome, hand_over: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Complete an erasure of which nothing waits; return its certificate.

    hand_over: gets the certificate before the database forgets what only the certificate tells then. When it raises,
    the erasure is not completed. Raises sql.errors.DatabaseError.
    """
    statements = database.statements
    row = await database.only(statements.read_erasure, outcome.erasure)
    steps = await database.rows(statements.list_erasure_steps, outcome.erasure)
    changed = await database.rows(statements.list_erased_hours, outcome.erasure)
    events = sum(step["events"] for step in steps)
    document = {
        "certificate": row["next_certificate"],
        "erasure": outcome.erasure,
        "site": row["site"],
        "subject": f"hmac-sha256:{row['subject'].hex()}",
        "kind": row["kind"],
        "mode": row["mode"],
        "sessions": row["sessions"],
        "requested_at": utc_text(row["requested_at"]),
        "completed_at": utc_text(row["now"]),
        "events": events,
        "hours": [
            {"shard": step["shard"], "sequence": step["sequence"], **hour}
            for step in steps
            for hour in msgspec.json.decode(step["numbers"] or "[]")
        ],
        "renamed_rows": sum(each["members"] for each in changed),
        "segments": row["segments"],
        "goals": row["goals"],
        "share_links": row["share_links"],
        "verified": {"hours": len(changed), "clean": True},
        "not_covered": list(NOT_COVERED),
        "code_version": VERSION,
        "previous_hash": row["previous_hash"].hex(),
    }
    hashed = content_hash(document)
    document["hash"] = hashed.hex()
    hand_over(document)
    numbers = (document["certificate"], events, row["previous_hash"], hashed, row["now"])
    await database.only(statements.complete_erasure, outcome.erasure, *numbers)
    await database.alone(statements.vacuum_erasing)
    return document


def content_hash(document: dict[str, Any]) -> bytes:
    """Return SHA-256 of a certificate without its `hash`, as JSON with sorted names and no blanks, in UTF-8."""
    told = {name: value for name, value in document.items() if name != "hash"}
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).digest()


def numbers_hash(hour: dict[str, Any]) -> str:
    """Return the commitment to an hour of a certificate, as its amendment has it; see numbers_hash.sql."""
    text = "\n".join(str(hour[name]) for name in ("nonce", "before", "after"))
    return hashlib.sha256(text.encode()).hexdigest()
