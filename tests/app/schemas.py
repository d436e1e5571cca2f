"""What a database looks like, as a value that two databases can be compared by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, inspect

APPLICATION_TABLES = ("orders", "categories", "parts")


def describe(url: str) -> dict[str, Any]:
    """The application's tables in the database: columns, keys and indexes. Other tables (the ledger's) are left out."""
    engine = create_engine(url)
    try:
        inspector = inspect(engine)
        present = set(inspector.get_table_names())
        return {
            table: {
                "columns": {
                    column["name"]: (
                        column["type"].compile(engine.dialect),
                        column["nullable"],
                        column["default"],
                    )
                    for column in inspector.get_columns(table)
                },
                "primary key": inspector.get_pk_constraint(table),
                "foreign keys": inspector.get_foreign_keys(table),
                "unique": inspector.get_unique_constraints(table),
                "checks": inspector.get_check_constraints(table),
                "indexes": sorted(inspector.get_indexes(table), key=lambda index: str(index["name"])),
            }
            for table in APPLICATION_TABLES
            if table in present
        }
    finally:
        engine.dispose()
