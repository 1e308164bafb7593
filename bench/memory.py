"""How much memory commands take that go through everything."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.ground import WEB, Grounds
from bench.processes import peak_of
from bench.rows import MEGABYTES, Row, Spread, most
from bench.web_data import web_events

# Enough to tell a command that streams from one that does not.
IMPORTED_SHARE = 5


async def measure(grounds: Grounds) -> list[Row]:
    """Measure the commands' own processes; the server's memory is PostgreSQL's business."""
    ground = await grounds.of(WEB)
    verify = await peak_of(ground, "projections", "verify")
    rows = [Row("verify of everything, peak RSS", MEGABYTES, Spread((verify,)), goal=most(200))]
    if await asyncio.to_thread(_can_import):
        events = ground.size.events // IMPORTED_SHARE
        file = await asyncio.to_thread(_write, ground.folder / "events.ndjson", events)
        peak = await peak_of(ground, "service", "import", "--", str(file))
        what = f"import of {events:,} events, peak RSS"
        rows.append(Row(what, MEGABYTES, Spread((peak,)), goal=most(200)))
    return rows


def _can_import() -> bool:
    asked = subprocess.run([sys.executable, "-m", "service", "import", "--help"], capture_output=True, check=False)
    return asked.returncode == 0


def _write(file: Path, count: int) -> Path:
    """Write events as NDJSON, with ids that are not stored yet."""
    encode = msgspec.json.Encoder().encode
    with file.open("wb") as lines:
        for event in web_events(count):
            sent = event._asdict() | {
                "event_id": f"i_{event.event_id}",
                "properties": msgspec.Raw((event.properties or "{}").encode()),
            }
            lines.write(encode(sent) + b"\n")
    return file
