"""Starts processes of ours as a deployment would, ends them by their id, and reads their peak memory."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from bench.ground import Ground
from bench.rows import NotCounted

START_SECONDS = 30.0
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.02
BYTES_PER_MEGABYTE = 1_000_000


@contextmanager
def running(
    ground: Ground,
    module: str,
    *arguments: str,
    port: int = 0,
    workers: int = 1,
    settings: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module arguments` until the context is left. The process also ends when this one does."""
    chosen = {**_places(ground), "HOURLEDGER_WORKERS": str(workers), **(settings or {})}
    if port:
        chosen["HOURLEDGER_PORT"] = str(port)
    process = start(_log(ground, module, arguments[0], port), chosen, module, *arguments, "--until-stdin-ends")
    try:
        yield process
    finally:
        stop(process)


@contextmanager
def serving(
    ground: Ground, module: str, *arguments: str, workers: int = 1, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run an HTTP server of ours until the context is left; yield its port and process once it answers."""
    port = free_port()
    with running(ground, module, *arguments, port=port, workers=workers, settings=settings) as process:
        wait_until_ready(port, process, _log(ground, module, arguments[0], port))
        yield port, process


async def peak_of(ground: Ground, module: str, *arguments: str) -> float:
    """Run a command to its end; return its peak memory in MB. Raises NotCounted when it fails."""
    process = start(_log(ground, module, arguments[0]), _places(ground), module, *arguments)
    peak = 0.0
    try:
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        process.kill()
        process.communicate()
    if process.returncode:
        raise NotCounted(f"{module} {arguments[0]} ended with {process.returncode}")
    return peak


def peak_memory_of_workers(server: subprocess.Popen[bytes]) -> float:
    """Return the largest peak memory of a server's child processes, in MB."""
    return max(peak_memory(child.pid) for child in psutil.Process(server.pid).children(recursive=True))


def peak_memory(pid: int) -> float:
    """Return the peak resident memory of a process, in MB of 10^6 bytes; 0 when it has ended.

    On Linux the kernel records the peak. Elsewhere this is the current memory, so callers ask repeatedly.
    """
    try:
        status = Path(f"/proc/{pid}/status")
        if status.exists() and (found := re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)):
            return int(found[1]) * 1024 / BYTES_PER_MEGABYTE
        return float(psutil.Process(pid).memory_info().rss) / BYTES_PER_MEGABYTE
    except (OSError, psutil.NoSuchProcess):
        return 0.0


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start(log: Path, settings: Mapping[str, str], module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `python -m module arguments` with these settings only; `log` gets its output."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HOURLEDGER_", "DATABASE_"))}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**inherited, "HOURLEDGER_LOG": "warning", **settings},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            # Ctrl-C must reach only the benchmark, which then ends the processes it started.
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process with SIGTERM, as a deployment would; kill it when it has not ended after 30 s."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers anything but 5xx; some peers answer 404 here. Raises NotCounted after 30 s."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status < 500:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(LOOK_SECONDS)
    raise NotCounted(f"a server did not come up: {log.read_text(errors='replace').strip()[-500:]}")


def _log(ground: Ground, module: str, command: str, port: int = 0) -> Path:
    return ground.folder / f"{module}-{command}-{port}.log"


def _places(ground: Ground) -> dict[str, str]:
    """Return where a process finds its data, so that it writes no archive into the folder of the user's service."""
    return {"DATABASE_URL": ground.url, "HOURLEDGER_DATA_DIR": str(ground.folder / "service")}
