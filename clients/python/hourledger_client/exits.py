"""Runs something at the end of this process."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from functools import partial


def at_exit(work: Callable[[], None]) -> Callable[[], object]:
    """Have `work` done at the end of this process; return what takes that back.

    A child of multiprocessing may end by os._exit, which knows nothing of atexit, but it runs its finalizers before.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None or multiprocessing.parent_process() is None:
        atexit.register(work)
        return partial(atexit.unregister, work)
    from multiprocessing.util import Finalize  # noqa: PLC0415  # most programs need none of it

    return Finalize(None, work, exitpriority=0).cancel
