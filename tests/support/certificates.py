"""Certificates that sign themselves, for servers of tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

REQUEST = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")


def make_certificate(folder: Path, names: str) -> tuple[Path, Path]:
    """Make a certificate in a folder; return its file and that of its key.

    names: of the hosts and addresses that it is for, such as DNS:localhost,IP:127.0.0.1.
    """
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    named = ("-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(certificate))
    subprocess.run(REQUEST + named, check=True, capture_output=True)
    return certificate, key
