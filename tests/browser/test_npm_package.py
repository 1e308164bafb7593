"""The package for npm: what is in it, and that it counts a page once in React."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from service.web.assets import VENDOR
from sql import VERSION
from tests.docs.test_snippets import STAND_IN, serve
from tests.http.support.site import Site, unique

SOURCE = Path(__file__).parents[2] / "clients" / "javascript"
IMPORTS = '{"imports": {"react": "/react.js", "hourledger": "/index.mjs", "hourledger/react": "/react.mjs"}}'
BEGIN = f"""<!doctype html><title>shop</title><script type="importmap">{IMPORTS}</script><script type="module">
    import {{ mount }} from "react";
    import client from "hourledger";
    import {{ Hourledger, usePageView }} from "hourledger/react";
    Object.assign(globalThis, {{ client, mount, Hourledger, usePageView, ready: true }});
</script>"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the package as npm installs it."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(
        ["npm", "pack", "--ignore-scripts=false", "--pack-destination", folder],
        cwd=SOURCE,
        check=True,
        capture_output=True,
    )
    with tarfile.open(folder / f"hourledger-{VERSION}.tgz") as packed:
        packed.extractall(folder, filter="data")
    return folder / "package"


def test_it_holds_the_client_and_what_it_exports(package: Path) -> None:
    assert sorted(path.name for path in package.iterdir()) == [
        *("README.md", "index.d.mts", "index.mjs", "package.json", "react.d.mts", "react.mjs"),
    ]
    assert (package / "index.mjs").read_bytes() == (VENDOR / "analytics.mjs").read_bytes()
    named = json.loads((package / "package.json").read_text())
    assert named["version"] == VERSION
    for each in named["exports"].values():
        assert {(package / path).is_file() for path in each.values()} == {True}


@pytest.mark.parametrize(
    "mount",
    ["mount(() => Hourledger({ endpoint, auto: true }))", "client.init({ endpoint }), mount(() => usePageView(path))"],
    ids=["component", "hook"],
)
async def test_react_counts_a_page_once(context: BrowserContext, site: Site, package: Path, mount: str) -> None:
    files = {f"/{name}": (package / name).read_text() for name in ("index.mjs", "react.mjs")}
    path = f"/{unique('react')}"
    page = await serve(context, files | {path: BEGIN, "/react.js": STAND_IN}, path)
    await page.wait_for_function("globalThis.ready")
    # The page's origin is not the service's, so its events stay in the history.
    endpoint = f"{site.running.url}/e"
    await page.evaluate(f"([endpoint, path]) => {{ const again = ({mount}); again(); }}", [endpoint, path])
    events = json.loads(await page.evaluate("client.exportEvents()"))
    assert [(event["event_type"], event["tool_name"]) for event in events] == [("page_viewed", path)]
