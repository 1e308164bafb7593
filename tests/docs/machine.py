"""A machine of its own for the page about deployment: this one's files, where every change is thrown away.

Its name of a server leads to itself, and no port of it is taken. It has no systemd and no network: `systemctl` and
`apt-get` are stand-ins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.place import MAKE

NAME = "stats.example.com"
SYSTEMCTL = Path(__file__).with_name("systemctl.py")
# $1: an empty folder. $2: the checkout. $3: a folder with stand-ins. The rest: a command of the machine.
ENTER = """
set -e
base=$1 checkout=$2 programs=$3 root=$1/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$base"
mkdir "$base"/{upper,work,root,checkout,checkout-work}
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$root"
mkdir -p "$root/opt/hourledger" "$root/etc/nginx/snippets" "$root/etc/nginx/sites-enabled" "$root/etc/caddy"
layers=lowerdir=$checkout,upperdir=$base/checkout,workdir=$base/checkout-work
mount -t overlay overlay -o "$layers" "$root/opt/hourledger"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
chmod 1777 "$root/dev/shm"
mount -t proc proc "$root/proc"
for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder"; chmod 1777 "$root/$folder"; done
# The user of the service may be kept out of where this machine has its Python.
for place in "$checkout/.venv/bin" "$(dirname "$(readlink -f "$checkout/.venv/bin/python")")"; do
  place=$(readlink -f "$place")
  # A checkout in /tmp is only in /opt/hourledger there.
  while [ "$place" != / ]; do [ ! -e "$root$place" ] || chmod o+x "$root$place"; place=$(dirname "$place"); done
done
rm -rf "$root/var/lib/hourledger" "$root/var/backups/hourledger" "$root/etc/hourledger.env"
sed -i /^hourledger:/d "$root/etc/passwd" "$root/etc/shadow" "$root/etc/group" "$root/etc/gshadow"
cp "$programs"/* "$root/usr/local/sbin/"
echo "127.0.0.1 localhost NAME" > "$root/etc/hosts"
python3 -c '
import fcntl, socket, struct
with socket.socket() as each:
    fcntl.ioctl(each, 0x8914, struct.pack("16sH14s", b"lo", 1, b""))  # SIOCSIFFLAGS, IFF_UP
'
shift 3
exec chroot "$root" "$@"
""".replace("NAME", NAME)
# How long all commands may take together.
SECONDS = 240
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")


@dataclass(frozen=True)
class Done:
    """The lines that each command wrote, in order, and what went wrong, if anything did."""

    outputs: list[list[str]]
    failed: str


def why_not() -> str | None:
    """Return why there can be no such machine here; None when there can."""
    if os.geteuid() != 0:
        return "needs root, to have namespaces and mounts"
    if absent := [
        name for name in ("unshare", "setpriv", "runuser", "openssl", "curl", "nginx") if not shutil.which(name)
    ]:
        return f"needs {absent}"
    overlay = (
        "mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w r"
    )
    tried = subprocess.run([*NAMESPACES, "sh", "-c", overlay], capture_output=True, text=True, check=False)
    return f"needs overlays: {tried.stderr}" if tried.returncode else None


def follow(commands: Sequence[str], folder: Path) -> Done:
    """Type commands in one shell of a new machine."""
    programs, base, log = folder / "programs", folder / "machine", folder / "log"
    programs.mkdir()
    base.mkdir()
    stand_ins = {"apt-get": "#!/bin/sh\n", "make": MAKE, "systemctl": SYSTEMCTL.read_text()}
    for name, text in stand_ins.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    typed = "".join(
        f"{{ {command}\n}} > /tmp/{number} 2>&1 || {{ cat /tmp/{number}; exit 1; }}\n"
        f"echo 'end of {number}'; cat /tmp/{number}; echo 'end of output'\n"
        for number, command in enumerate(commands)
    )
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*NAMESPACES, "bash", "-c", ENTER, "bash", base, ROOT, programs, "/bin/bash", "-c", f"cd /root\n{typed}"],
            env={"PATH": path, "HOME": "/root", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()  # with everything on the machine
            process.wait()
    told = log.read_text()
    outputs = [part.partition("end of output\n")[0].splitlines()[1:] for part in told.split("end of ")[1::2]]
    return Done(outputs, "" if code == 0 else f"ended with {code}: {told[-3000:]}")
