"""Measure size, cost and faults of the browser client: `python -m tests.browser.support.client_report`.

It writes the results between the marks of docs/browser-client.md. Exits 0 when the client survives every fault, else 1.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
from playwright.async_api import async_playwright

from tests.browser.conftest import FLAGS, chromium
from tests.browser.support.client_cost import compressed, microseconds_per_call
from tests.browser.support.client_faults import SCENARIOS, Scenario
from tests.browser.support.client_scene import Scene
from tests.conftest import Servers, folder_for_servers
from tests.http.support.site import new_site

PAGE = Path(__file__).parents[3] / "docs" / "browser-client.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


@click.command(help=__doc__)
def main() -> None:
    """Measure, write, print."""
    lines, failed = asyncio.run(_measured())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    told = "".join(f"{line}\n" for line in lines)
    PAGE.write_text(f"{before}{BEGIN}{told}{END}{after}", encoding="utf-8")
    click.echo(told, nl=False)
    sys.exit(1 if failed else 0)


async def _measured() -> tuple[list[str], int]:
    program = chromium()
    if program is None:
        raise click.ClickException("needs Chromium, on Debian: apt-get install chromium-headless-shell")
    with folder_for_servers() as folder, ExitStack() as opened:
        servers = Servers(folder, opened)
        async with async_playwright() as playwright, new_site(servers, folder) as site:
            browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
            cost = await microseconds_per_call(browser, site)
            outcomes = {each: await _outcome(each, Scene(browser, site, servers, folder)) for each in SCENARIOS}
            await browser.close()
        await servers.close()
    return list(_lines(cost, outcomes)), sum(outcome != "survived" for outcome in outcomes.values())


async def _outcome(scenario: Scenario, scene: Scene) -> str:
    try:
        await scenario(scene)
    except Exception as error:  # noqa: BLE001  # the table reports any failure
        return f"**failed**: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    return "survived"


def _lines(cost: float, outcomes: dict[Scenario, str]) -> Iterator[str]:
    sizes = ", ".join(f"`{name}` {brotli:,} bytes ({gzip:,})" for name, (brotli, gzip) in compressed().items())
    yield f"Size by brotli (by gzip): {sizes}. A call of `track` costs {cost:.0f} µs on average, storage included."
    yield ""
    yield "| fault | outcome |"
    yield "|---|---|"
    for scenario, outcome in outcomes.items():
        yield f"| {inspect.getdoc(scenario)} | {outcome} |"


if __name__ == "__main__":
    main()
