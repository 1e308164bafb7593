"""The folder of temporary files, also where the data directory is all that can be written to."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from service.settings import Settings, SettingsError


def roomy_folder(settings: Settings) -> Path:
    """Return a folder for large temporary files: the data directory where it can be written to, else the usual one.

    The usual one is in memory on many systems.
    """
    usable = settings.data_dir.is_dir() and os.access(settings.data_dir, os.W_OK | os.X_OK)
    return settings.data_dir if usable else Path(tempfile.gettempdir())


def choose_temporary_folder(settings: Settings) -> None:
    """Let temporary files of this process be in the data directory when no usual folder can be written to.

    Raises SettingsError when the data directory cannot be written to, either.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        if not os.access(settings.data_dir, os.W_OK | os.X_OK):
            raise SettingsError(
                f"no folder for temporary files can be written to: make /tmp or HOURLEDGER_DATA_DIR"
                f" ({str(settings.data_dir)!r}) one, or set TMPDIR to one"
            ) from None
        tempfile.tempdir = str(settings.data_dir)
