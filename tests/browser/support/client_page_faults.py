"""Faults of pages that the browser client survives: pages end, tabs share, locks are missing."""

from __future__ import annotations

from contextlib import suppress

import psutil
from playwright.async_api import Route

from tests.browser.support.client import Visitor, waiting
from tests.browser.support.client_scene import Scene
from tests.http.support.site import new_site


async def offline_and_reloaded(scene: Scene) -> None:
    """Offline for 50 events, with a reload and a closed tab meanwhile; online again on the next visit."""
    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        await context.route("**/e/batch", lambda route: route.abort("internetdisconnected"))
        ids = await visitor.track(page, 25)
        await visitor.flush(page)
        await page.reload()
        ids += await visitor.track(page, 25)
        await visitor.flush(page)
        assert await waiting(page) == 50
        await page.close()
        await context.unroute("**/e/batch")
        again = await visitor.visit()
        await visitor.all_stored(again, ids)


async def killed_in_mid_flush(scene: Scene) -> None:
    """The service is killed (SIGKILL) while batches are on their way, and starts again."""
    async with new_site(scene.servers, scene.folder) as site, scene.context() as context:
        sent = 0

        async def kill_at_the_third(route: Route) -> None:
            nonlocal sent
            sent += 1
            if sent == 3:
                part = site.part("http")
                for process in [part, *part.children(recursive=True)]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
            await route.continue_()

        visitor = Visitor(context, site)
        page = await visitor.visit()
        await context.route("**/e/batch", kill_at_the_third)
        ids = await visitor.track(page, 1_000)
        await visitor.flush(page)
        assert 0 < await waiting(page) < 1_000
        await visitor.all_stored(page, ids)


async def tab_closed(scene: Scene) -> None:
    """The tab is closed right after ten events."""
    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        ids = await visitor.track(page, 10)
        await visitor.leave(page)
        await visitor.has(ids)


async def two_tabs(scene: Scene) -> None:
    """Two tabs of one visitor flush the same outbox at once."""
    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        first, second = await visitor.visit(), await visitor.visit()
        ids = await visitor.track(first, 30) + await visitor.track(second, 30)
        both = [page.evaluate("hourledger.flush()") for page in (first, second)]
        for each in both:
            await each
        await visitor.all_stored(first, ids)


async def without_locks(scene: Scene) -> None:
    """Two tabs flush the same outbox in a browser without Web Locks: sent twice, stored once."""
    async with scene.context("Object.defineProperty(navigator, 'locks', { value: undefined });") as context:
        visitor = Visitor(context, scene.site)
        first, second = await visitor.visit(), await visitor.visit()
        ids = await visitor.track(first, 30)
        both = [page.evaluate("hourledger.flush()") for page in (first, second)]
        for each in both:
            await each
        await visitor.all_stored(first, ids)


async def locks_denied(scene: Scene) -> None:
    """Web Locks exist but are denied, as in a sandboxed frame."""
    denied = "navigator.locks.request = () => Promise.reject(new DOMException('denied', 'SecurityError'));"
    async with scene.context(denied) as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        await visitor.all_stored(page, await visitor.track(page, 5))
