"""The folder of a demo's data, which a marker file identifies. A demo never touches another folder with data."""

from __future__ import annotations

import os
from pathlib import Path

from service.settings import SettingsError, usual_data_dir

MARKER = "demo"
MARK = "The data of a demo: `python -m service demo` removes it when it starts.\n"


def usual_demo_dir() -> str:
    """Return the default folder of a demo's data."""
    return "/var/lib/hourledger-demo" if os.geteuid() == 0 else ".demo"


def claim(data_dir: Path) -> None:
    """Mark a folder as a demo's. It must be missing, empty or the folder of a former demo.

    Raises SettingsError when `serve` keeps its data there, or when the folder holds anything else.
    """
    folder = data_dir.resolve()
    if folder == Path(usual_data_dir()).resolve():
        raise SettingsError(f"HOURLEDGER_DATA_DIR={data_dir} is where `serve` keeps its data: a demo needs another")
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            # Under root the server runs as a user of its own, which must be able to enter the folder.
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if not _is_demo(folder) and any(folder.iterdir()):
            raise SettingsError(f"HOURLEDGER_DATA_DIR={data_dir} is neither empty nor a former demo: choose another")
        (folder / MARKER).write_text(MARK)
    except OSError as error:
        raise SettingsError(f"HOURLEDGER_DATA_DIR={data_dir} cannot be used: {error.strerror}") from error


def _is_demo(folder: Path) -> bool:
    marker = folder / MARKER
    return marker.is_file() and not marker.is_symlink() and marker.read_text(errors="replace") == MARK
