"""Names of sites in the output of commands, where there is more than one."""

from __future__ import annotations

from collections.abc import Mapping

from sql.database import Database

# The name of each shard's site. Empty where there is only one site.
SiteNames = Mapping[int, str]


async def site_names(database: Database) -> SiteNames:
    """Return the name of each shard's site, nothing where there is one site only."""
    sites = await database.rows(database.statements.list_sites)
    return {shard: site["name"] for site in sites for shard in site["shards"]} if len(sites) > 1 else {}


def shard_text(shard: int, names: SiteNames) -> str:
    """Return a shard as commands print it: `shard 3`, or `site blog, shard 3`."""
    return f"site {names[shard]}, shard {shard}" if shard in names else f"shard {shard}"
