"""Checks certificates against the database, and finds persons who are back, such as after a restored backup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from projections.erasing.certificate import content_hash, numbers_hash
from projections.erasing.finding import left_out_ids
from projections.erasing.subject import SESSION, USER, Subject
from projections.projector import catch_up
from sql.database import Database, Row

FIRST = bytes(32)


async def chain_breaks(database: Database) -> list[str]:
    """Return where the chain of certificates does not hold, and how many erased events are back."""
    rows = await database.rows(database.statements.list_erasures)
    links = sorted((row for row in rows if row["certificate"] is not None), key=lambda row: int(row["certificate"]))
    wrong = []
    for place, (row, before) in enumerate(zip(links, [None, *links], strict=False), start=1):
        if row["certificate"] != place:
            wrong.append(f"certificate {place} is missing: the next one is {row['certificate']}")
            break
        if row["previous_hash"] != (before["hash"] if before else FIRST):
            wrong.append(f"certificate {place} does not follow the one before")
    if back := (await database.only(database.statements.count_returned))["events"]:
        wrong.append(f"{back:,} erased events are back in the log")
    return wrong


async def what_is_wrong(database: Database, archive: Path, document: dict[str, Any], key: bytes) -> list[str]:
    """Return where a certificate is not what the database says, or its person is there again."""
    number, hashed = document.get("certificate"), content_hash(document)
    if document.get("hash") != hashed.hex():
        return [f"certificate {number}: its content was changed: the hash is not that of the content"]
    row = await recorded(database, document)
    if row is None:
        return [f"certificate {number}: this database does not know it: run `erasures --replay` with the file"]
    if row["hash"] != hashed:
        return [f"certificate {number}: this database has another one of this number"]
    hours = document["hours"]
    query = database.statements.list_commitments
    rows = await database.rows(query, [each["shard"] for each in hours], [each["sequence"] for each in hours])
    committed = {(each["shard"], each["sequence"], each["hour"]): each["commitment"] for each in rows}
    wrong = [
        f"certificate {number}: hour {hour['hour']} of shard {hour['shard']} is not what its amendment says"
        for hour in hours
        if committed.get((hour["shard"], hour["sequence"], hour["hour"])) != numbers_hash(hour)
    ]
    if await persons(database, archive, document, key):
        wrong.append(f"certificate {number}: its {document['kind']} is there again")
    return wrong


async def recorded(database: Database, document: dict[str, Any]) -> Row | None:
    """Return the completed erasure of a certificate's number; None when the database does not know it."""
    rows = await database.rows(database.statements.list_erasures)
    return next((row for row in rows if row["certificate"] == document.get("certificate")), None)


async def persons(database: Database, archive: Path, document: dict[str, Any], key: bytes) -> list[Subject]:
    """Fold the log; return whom a certificate is about, as far as the person is on its site.

    No id is kept for this: each one that the rollups name, or that a quarantine may leave out of them, is hashed and
    compared. Raises ValueError for a document that is no certificate, OSError, and sql.errors.DatabaseError.
    """
    kind, subject = document.get("kind"), str(document.get("subject", ""))
    if kind not in {USER, SESSION} or not subject.startswith("hmac-sha256:"):
        raise ValueError("it is no certificate of an erasure")
    shards = await site_shards(database, document.get("site"))
    await catch_up(database)
    rows = await database.rows(database.statements.list_member_ids, shards, kind)
    ids = {row["id"] for row in rows} | await left_out_ids(database, archive, shards, kind)
    found = (Subject(kind, id_) for id_ in ids)
    return [each for each in found if f"hmac-sha256:{each.hashed(key).hex()}" == subject]


async def site_shards(database: Database, site: int | None) -> Sequence[int]:
    """Return the shards of a site. Raises ValueError when there is none of this number."""
    for row in await database.rows(database.statements.list_sites):
        if row["site"] == site:
            shards: Sequence[int] = row["shards"]
            return shards
    raise ValueError(f"there is no site {site}")
