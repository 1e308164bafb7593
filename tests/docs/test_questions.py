"""SQL of the pages runs on the database of a service, and bodies of requests are accepted by it."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Servers, execute
from tests.docs.pages import Block, blocks
from tests.http.support.site import Site, new_database, unique


@pytest.mark.parametrize("block", [each for each in blocks("sql") if "create role" not in each.text], ids=str)
def test_a_question_in_sql_is_answered(site: Site, block: Block) -> None:
    site.rows(block.text)


@pytest.mark.parametrize("block", [each for each in blocks("sql") if "create role" in each.text], ids=str)
async def test_an_administrator_makes_the_roles(servers: Servers, block: Block) -> None:
    # Roles are of the whole server, where other tests make those of the page.
    group, login = (unique(name).replace("-", "_") for name in ("group", "login"))
    script = block.text.replace("hourledger_bi", group).replace("grafana", login)
    async with new_database(servers) as url:
        await execute(url, script, f"drop role {login}; drop role {group}")


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_the_body_of_a_funnel_is_accepted(site: Site, block: Block) -> None:
    answer = site.client.post("/api/analytics/funnels", json=json.loads(block.text))
    assert answer.status_code == 200, answer.text
