#!/usr/bin/env python3
"""Stands in for systemctl on a machine without systemd: starts and stops services as their units say."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
RUN = Path("/run")


def settings_of(unit: str) -> dict[str, str]:
    """Return the settings of a unit and of its drop-ins, the last of each name."""
    found = {}
    for file in (UNITS / unit, *sorted((UNITS / f"{unit.partition('-')[0]}-.service.d").glob("*.conf"))):
        for line in file.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith(("#", ";")):
                found[name] = value
    return found


def environment_of(settings: dict[str, str]) -> dict[str, str]:
    lines = Path(settings["EnvironmentFile"]).read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | given


def start(unit: str) -> None:
    settings = settings_of(unit)
    user = settings["User"]
    data = Path("/var/lib", settings["StateDirectory"])
    data.mkdir(exist_ok=True)
    data.chmod(int(settings["StateDirectoryMode"], 8))
    shutil.chown(data, user, settings["Group"])
    command = ["setpriv", f"--reuid={user}", f"--regid={settings['Group']}", "--init-groups", "--no-new-privs"]
    with (RUN / f"{unit}.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *shlex.split(settings["ExecStart"])],
            cwd=settings["WorkingDirectory"],
            env=environment_of(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=int(settings["UMask"], 8),
        )
    (RUN / f"{unit}.pid").write_text(str(process.pid))


def stop(unit: str) -> None:
    pid = int((RUN / f"{unit}.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    # This machine's process 1 is a shell, which takes away what ended.
    while Path(f"/proc/{pid}/stat").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.05)


def reload(name: str) -> None:
    if name == "nginx":
        pid = Path("/run/nginx.pid")
        running = pid.exists() and pid.read_text()  # `nginx -t` leaves an empty one
        subprocess.run(["nginx", *(("-s", "reload") if running else ())], check=True)
    elif shutil.which(name):
        subprocess.run([name, "validate", "--config", f"/etc/{name}/Caddyfile"], check=True)


def main() -> None:
    command, *names = [word for word in sys.argv[1:] if not word.startswith("--")]
    for name in names:
        if command == "reload":
            reload(name)
            continue
        unit = name if "." in name else f"{name}.service"
        if not (UNITS / unit).is_file():
            sys.exit(f"Unit {unit} not found.")
        if unit.endswith(".service"):
            {"start": start, "enable": start, "stop": stop}[command](unit)


main()
