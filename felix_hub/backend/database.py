"""The one `db` object of the application, and the rule that names its indexes and constraints."""

from __future__ import annotations

from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, event
from sqlalchemy.orm import DeclarativeBase

# A name that the database made up can't be dropped by name in a migration, so everything that has to be named is.
# Primary keys are left out on purpose: PostgreSQL calls them `<table>_pkey`, for tables of raw SQL as for ours.
NAMES = {
    "ix": "idx_%(column_0_label)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """What all models have in common."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base)


def enforce_foreign_keys(engine: Engine) -> None:
    """Make SQLite respect foreign keys, which it does only when each connection asks; PostgreSQL always does."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def switch_on(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
