"""Third-party files of the pages when set-up has not installed them."""

from __future__ import annotations

from pathlib import Path

import httpx
from litestar import Litestar
from structlog.testing import capture_logs

from service.http.entry import answer_exception
from service.web import assets, vendored
from tests.http.support.site import refused


async def test_the_service_starts_without_them_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "uPlot.min.css").write_text(".uplot {}")
    with capture_logs() as logs:
        routes = vendored.routes(tmp_path)
    assert [(entry["log_level"], "make setup" in entry["event"]) for entry in logs] == [("warning", True)]
    assert sorted(logs[0]["files"]) == sorted(assets.SOURCES.keys() - {"uPlot.min.css"})
    app = Litestar(route_handlers=routes, exception_handlers={Exception: answer_exception}, openapi_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:  # type: ignore[arg-type]
        assert "make setup" in refused(await client.get("/assets/swagger-ui.css"), 503, "not_installed")
        assert (await client.get("/assets/uPlot.min.css")).text == ".uplot {}"
