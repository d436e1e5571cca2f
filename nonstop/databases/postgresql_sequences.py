"""Sequences behind columns that number themselves."""

from __future__ import annotations

from nonstop.databases.base import DBAPIConnection

SEQUENCE = r"""
    SELECT coalesce(
        pg_get_serial_sequence(%(table)s, a.attname),
        substring(pg_get_expr(d.adbin, d.adrelid) FROM 'nextval\(''(.*)''::regclass\)'))
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass(%(table)s) AND a.attname = %(column)s"""


def continue_counting(connection: DBAPIConnection, table: str, column: str) -> None:
    """Let the sequence of a column go on after the highest number in ``table``, whose name comes quoted."""
    cursor = connection.cursor()
    cursor.execute(SEQUENCE, {"table": table, "column": column})
    found = cursor.fetchone()
    if found is None or found[0] is None:
        return
    name = '"{}"'.format(column.replace('"', '""').replace("%", "%%"))
    cursor.execute(
        f"SELECT setval(%s::regclass, greatest(max({name}), 1)) FROM {table.replace('%', '%%')}"
        f" HAVING max({name}) IS NOT NULL",
        (found[0],),
    )
