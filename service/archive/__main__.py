"""A child of the engine. Workers start it; see process.py. Its standard input is a socket."""

from __future__ import annotations

from sql.loading import begin_loading, end_loading

if __name__ == "__main__":
    begin_loading()  # before the imports below

# isort: split
from service.archive.answerer import SnapshotAnswerer
from service.archive.child import run

if __name__ == "__main__":
    end_loading()
    run(SnapshotAnswerer)
