"""The configuration of the embedded PostgreSQL, written at each start."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

DATABASE = "hourledger"
ROLE = "hourledger"
# Its members may read the schema bi, and log in to the database with a password.
READERS = "hourledger_bi"


def write_configuration(folder: Path, pgdata: str, users: Collection[str], given: Mapping[str, str]) -> None:
    """Write the configuration into the data directory, not into PGDATA.

    The server's user owns PGDATA and could place a link there, which root must not follow.

    pgdata: its name in the folder. users: who may connect, as ROLE. given: settings on top of embedded.conf.
    """
    files = {
        "postgresql.conf": [
            f"include '{pgdata}/postgresql.conf'",
            Path(__file__).with_name("embedded.conf").read_text(),
            *(f"{name} = {_quoted(value)}" for name, value in given.items()),
        ],
        "pg_hba.conf": [f"local all {ROLE} peer map={ROLE}", f"local {DATABASE} +{READERS} scram-sha-256"],
        "pg_ident.conf": [f'{ROLE} "{user}" {ROLE}' for user in sorted(users)],
    }
    for name, lines in files.items():
        path = folder / name
        content = os.fsencode("\n".join(["# Written at each start: edits are lost.", *lines, ""]))
        # A file that is right already needs no room on a full disk.
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        path.chmod(0o644)


def _quoted(value: str) -> str:
    """Return a value as a quoted string of postgresql.conf."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"
