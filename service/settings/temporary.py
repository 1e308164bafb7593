"""The folder of temporary files, also where the data directory is all that can be written to."""

from __future__ import annotations

import os
import tempfile

from service.settings import Settings, SettingsError


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
