"""The page of the API and its OpenAPI document, served by Litestar. The page loads nothing from other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import License, Server

from service.openapi.document import Document
from service.web import dashboard_files
from sql import VERSION

FOLDER = Path(__file__).parent
PATH = "/schema"
DESCRIPTION = """Product analytics whose hourly numbers can be proven.

Times in answers are UTC. Every error has the form `{"ok": false, "error": {"code", "message", "field"?}}`. Beside the
statuses of each endpoint there are 404 for an unknown path, 405 for a wrong method and 421 for an unknown host."""
HEADERS = dashboard_files.HEADERS | {
    # Swagger UI's style sheet holds its icons.
    "content-security-policy": "default-src 'none'; connect-src 'self'; img-src data:; script-src 'self';"
    " style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Page(OpenAPIRenderPlugin):
    """Swagger UI and the script that starts it. Swagger UI's files are among the assets."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._page = (FOLDER / "page.html").read_bytes()
        self._script = (FOLDER / "page.js").read_bytes()

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Return the page; its script asks for the document."""
        return self._page

    def receive_router(self, router: Router) -> None:
        """Serve the script, too."""

        @get("/page.js", media_type="text/javascript")
        async def script() -> bytes:
            return self._script

        router.register(script)


def config() -> OpenAPIConfig:
    """Return the configuration by which Litestar serves the page and the document."""
    return OpenAPIConfig(
        title="hourledger",
        version=VERSION,
        description=DESCRIPTION,
        license=License("MIT", identifier="MIT"),
        # Relative to the document's address, so that it holds under a prefix, too.
        servers=[Server(url="..")],
        render_plugins=[Page(), Document()],
        openapi_router=Router(
            PATH, route_handlers=[], include_in_schema=False, response_headers=HEADERS, after_request=_in_one_form
        ),
    )


async def _in_one_form(response: Response[Any]) -> Response[Any]:
    """Answer unknown paths below this page with our 404.

    Litestar would answer with a page of its own: https://github.com/litestar-org/litestar/issues/418.
    """
    if response.status_code == 404:
        raise NotFoundException
    return response
