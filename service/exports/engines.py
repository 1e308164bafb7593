"""The engine of an export: a process that ends with it."""

from __future__ import annotations

from service.archive.engine import Engine
from service.exports.export import STATEMENT_SECONDS
from service.settings import Settings
from service.settings.temporary import roomy_folder

# A worker has as many processes for exports as for questions. They share the disk.
KINDS = 2


def new_engine(url: str, settings: Settings) -> Engine:
    """Return an engine whose questions may take as long as a statement of an export."""
    return Engine(
        url, settings.archive_dir, roomy_folder(settings), workers=KINDS * settings.workers, seconds=STATEMENT_SECONDS
    )
