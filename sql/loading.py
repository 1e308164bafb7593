"""Loads the modules of a process in less time: without rich, and without collecting garbage."""

from __future__ import annotations

import gc
import sys
from typing import Any

# In place of a module, it makes an import fail.
ABSENT: Any = None


def begin_loading() -> None:
    """Call this before other modules are imported, and `end_loading` afterwards.

    What is loaded stays, so it holds no garbage, but each collection would search all of it.
    """
    gc.disable()
    _load_structlog()


def end_loading() -> None:
    """Collect garbage from now on, but leave out what is loaded. Forked processes go on sharing its memory."""
    gc.freeze()
    gc.enable()


def _load_structlog() -> None:
    """Import structlog before any other module does.

    It loads rich, where that is installed, for tracebacks that hourledger never prints. That takes a quarter of the
    time in which a command starts.
    """
    sys.modules.setdefault("rich", ABSENT)
    import structlog  # noqa: F401, PLC0415

    if sys.modules["rich"] is ABSENT:
        del sys.modules["rich"]
