"""What the schema of a database consists of, and its version."""

from __future__ import annotations

import asyncpg

OBJECTS = """
select p.oid::regprocedure::text from pg_proc as p where p.pronamespace = 'public'::regnamespace
union all
select t.oid::regtype::text from pg_type as t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'
union all
select c.oid::regclass::text from pg_class as c where c.relnamespace = 'public'::regnamespace
order by 1
"""
COLUMNS = """
select a.attrelid::regclass::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
from pg_attribute as a
join pg_class as c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
order by 1, 2
"""


async def fetch(url: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def schema(url: str) -> list[tuple[object, ...]]:
    return await fetch(url, OBJECTS) + await fetch(url, COLUMNS)


async def version(url: str) -> int:
    ((number,),) = await fetch(url, "select max(version) from schema_migrations")
    return int(str(number))
