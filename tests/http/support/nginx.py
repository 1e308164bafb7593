"""A real nginx with the files of deploy/nginx in front of a service, on free ports and without root's folders."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import free_port
from tests.support import plain_http
from tests.support.certificates import make_certificate
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
FILES = ROOT / "deploy/nginx"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
MAIN = """
daemon off;
pid FOLDER/nginx.pid;
error_log FOLDER/error.log;
events {}
http {
    access_log FOLDER/access.log;
    client_body_temp_path FOLDER/bodies;
    proxy_temp_path FOLDER/answers;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    include FOLDER/hourledger-site.conf;
    server {
        listen 127.0.0.1:WEBSITE;
        include FOLDER/hourledger-path.conf;
    }
}
"""


@dataclass(frozen=True)
class Nginx:
    """Its folder, and the addresses of the name of its own, of the same without TLS, and of the website."""

    folder: Path
    url: str
    plain: str
    website: str

    def client(self, url: str) -> httpx.Client:
        trusted = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        return plain_http.new_client(url, verify=trusted)


@contextmanager
def nginx_before(service: str, folder: Path) -> Iterator[Nginx]:
    """Run nginx in front of the service at an address."""
    assert NGINX is not None
    tls, plain, website = free_port(), free_port(), free_port()
    make_certificate(folder, "DNS:localhost,IP:127.0.0.1")
    changes = {
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl;\n": "",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "/etc/ssl/hourledger/": f"{folder}/",
        "snippets/": f"{folder}/",
        "http://127.0.0.1:8000": service,
    }
    for file in FILES.glob("*.conf"):
        text = file.read_text()
        for written, meant in changes.items():
            text = text.replace(written, meant)
        (folder / file.name).write_text(text)
    main = MAIN.replace("FOLDER", str(folder)).replace("WEBSITE", str(website))
    # Otherwise its workers could not enter the folder where root runs it.
    (folder / "nginx.conf").write_text(("user root;" if os.geteuid() == 0 else "") + main)
    process = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
    running = Nginx(folder, f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}", f"http://127.0.0.1:{website}")
    try:
        wait_until(lambda: _answers(running, process), "nginx answers")
        yield running
    finally:
        process.terminate()
        process.wait(60)


def _answers(running: Nginx, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, (running.folder / "error.log").read_text()
    try:
        return plain_http.get(f"{running.website}/nothing").status_code == httpx.codes.NOT_FOUND
    except httpx.TransportError:
        return False
