"""Give a table that has none a primary key."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.sqlite_table import TableText
from nonstop.descriptions.operations import AddPrimaryKey, AddUnique, LockClass, SetNotNull, Step
from nonstop.operations import add_unique, catalog, rebuild, rows, set_not_null


def steps(operation: AddPrimaryKey, database: Database) -> list[Step]:
    """Each column becomes NOT NULL, a unique index is built, and the constraint takes it over; or the table made anew.

    Rows that stand in the way are looked for before the first of these.
    """
    dialect = database.dialect()
    quote = dialect.identifier_preparer.quote
    table = catalog.quoted(dialect, operation.table, operation.schema)
    name = quote(operation.name)
    key = AddUnique(operation.name, operation.table, operation.columns, operation.schema)
    summary = f"add primary key {operation.name} to {operation.table}"
    some_null = " OR ".join(f"t.{quote(column)} IS NULL" for column in operation.columns)
    look = rows.all_of(
        rows.require_none(database, operation.table, operation.schema, some_null, "have a NULL in the key"),
        rows.require_unique(
            database,
            operation.table,
            operation.schema,
            operation.columns,
            f"{operation.name} can't be unique",
        ),
    )

    def is_done(connection: Connection) -> bool:
        return add_unique.existing_key(database, connection, key, "primary key") is not None

    if not database.alters_in_place:
        return [
            rebuild.step(
                database,
                summary,
                operation.table,
                lambda old: _with_key(old, operation, quote),
                is_done,
                look,
            )
        ]
    not_null = [
        step
        for column in operation.columns
        for step in set_not_null.steps(SetNotNull(operation.table, column, operation.schema), database)
    ]
    return [
        *(replace(step, prepare=look) if step.prepare else step for step in not_null),
        *add_unique.index_steps(database, key, is_done),
        Step(
            summary,
            (f"ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
        ),
    ]


def _with_key(old: TableText, operation: AddPrimaryKey, quote: rebuild.Quote) -> TableText:
    """SQLite lets a key be NULL unless its columns say otherwise; with us the key is the same on both databases."""
    for item in old.items:
        is_key = item.column.lower() in (column.lower() for column in operation.columns)
        if is_key and not any(clause.kind == "NOT" for clause in item.clauses):
            old = old.with_clause(item.column, "NOT NULL")
    columns = ", ".join(map(quote, operation.columns))
    return old.with_constraint(f"CONSTRAINT {quote(operation.name)} PRIMARY KEY ({columns})")
