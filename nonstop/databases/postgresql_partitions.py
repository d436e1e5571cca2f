"""Partitions, and which rows go into each."""

from __future__ import annotations

from nonstop.databases.base import DBAPIConnection, Partition

PARTITIONS = """
    SELECT c.relname, nullif(own.nspname, current_schema()), root.relname, nullif(above.nspname, current_schema()),
        coalesce(pg_get_partition_constraintdef(c.oid), 'true')
    FROM pg_class c
        JOIN pg_namespace own ON own.oid = c.relnamespace
        JOIN pg_class root ON root.oid = pg_partition_root(c.oid)
        JOIN pg_namespace above ON above.oid = root.relnamespace
    WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
    ORDER BY c.oid"""


def partitions(connection: DBAPIConnection) -> list[Partition]:
    """Every partition that there is, of whatever level."""
    cursor = connection.cursor()
    cursor.execute(PARTITIONS)
    return [
        Partition(_key(schema, name), _key(root_schema, root), condition)
        for name, schema, root, root_schema, condition in cursor.fetchall()
    ]


def _key(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else name
