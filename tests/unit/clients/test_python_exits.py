"""The end of a process sends what the package for Python still holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "clients" / "python"
# Writes the id of each event that is sent.
PROGRAM = """
import json, multiprocessing, os
from hourledger_client import Client

def post(address, key, body, timeout):
    events = json.loads(body)
    os.write(1, "".join(event["event_id"] + "\\n" for event in events).encode())
    return 200, {}, json.dumps({"ok": True, "event_ids": [event["event_id"] for event in events]}).encode()

client = Client("http://stats.example", pause=60, post=post)
client.track("opened", session_id="s", event_id="first")
"""
AFTER_CLOSE = """
client.close()
client.track("opened", session_id="s", event_id="last")
"""
CHILD = """
def work():
    client.track("opened", session_id="s", event_id="last")

client.flush()
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
"""


@pytest.mark.parametrize(
    "rest",
    [
        AFTER_CLOSE,
        pytest.param(CHILD, marks=pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="needs a safe fork")),
    ],
    ids=["after close", "child"],
)
def test_the_last_event_is_sent(rest: str) -> None:
    command = [sys.executable, "-c", PROGRAM + rest]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(PACKAGE)}, check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.split() == ["first", "last"]
