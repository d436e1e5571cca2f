#!/usr/bin/env python3
"""Create Felix Hub's database as it was before the first migration: the table `orders`, and nothing else.

    python init_db.py               create the table, if it isn't there
    python init_db.py --demo 5000   the same, then fill it up to 5,000 made-up orders

Both can be run again at any time. The table is written down here once and for all and doesn't follow `models.py`:
what came later, the migrations add. Exit codes: 0 done, 1 the database refused, 2 bad usage or settings,
6 the database can't be reached.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    false,
    func,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from config import INSTANCE, database_url
from demo_data import demo_orders

REFUSED, BAD_SETTINGS, UNREACHABLE = 1, 2, 6
ROWS_PER_BATCH = 10_000

schema = MetaData()
orders = Table(
    "orders",
    schema,
    Column("id", Integer, primary_key=True),
    Column("mechanic_name", String(120), nullable=False),
    Column("telegram_id", String(50), nullable=False),
    Column("category", String(120), nullable=False),
    Column("vin", String(50)),
    Column("selected_parts", JSON, nullable=False),
    Column("is_original", Boolean, nullable=False, server_default=false()),
    Column("photo_url", String(250)),
    Column("status", String(50), nullable=False, server_default="новый"),
    Column("printed", Boolean, nullable=False, server_default=false()),
    Column("language", String(5), nullable=False, server_default="ru"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("CURRENT_TIMESTAMP")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("CURRENT_TIMESTAMP")),
)


def create_schema(connection: Connection) -> None:
    """Create the table `orders`. One that exists is left alone, whatever migrations have added to it."""
    schema.create_all(connection)


def add_demo_orders(connection: Connection, count: int) -> int:
    """Fill the table `orders` up to `count` rows and return how many were added.

    The same numbers always give the same rows: 100 at first and 5,000 later, or 5,000 at once. The caller commits.
    """
    present = connection.scalar(select(func.count()).select_from(orders)) or 0
    missing = islice(demo_orders(), present, max(count, present))
    while batch := list(islice(missing, ROWS_PER_BATCH)):
        connection.execute(orders.insert(), batch)
    return max(count - present, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parse(arguments)
    # It warns on stderr about the pipeline that a failed INSERT leaves behind; the message below says it better.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    try:
        engine = create_engine(database_url())
    except (ArgumentError, ImportError) as error:
        # The message of an unreadable URL quotes it, password and all.
        reason = error if isinstance(error, ImportError) else "it is not a database URL"
        return _fail(BAD_SETTINGS, f"DATABASE_URL can't be used: {reason}.")
    try:
        _make_folder_of(engine)
        with engine.begin() as connection:
            create_schema(connection)
            added = add_demo_orders(connection, options.demo)
    except OperationalError as error:
        return _fail(UNREACHABLE, f"The database {_place(engine)} can't be reached: {_reason(error, engine)}")
    except (DBAPIError, OSError) as error:
        return _fail(
            REFUSED, f"The database {_place(engine)} could not be prepared: {_reason(error, engine)}"
        )
    finally:
        engine.dispose()
    print(f"The table orders is in {_place(engine)}; demo orders added: {added}.")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Create Felix Hub's database as it was before the first migration."
    )
    parser.add_argument(
        "--demo", type=_count, default=0, metavar="N", help="fill the table orders up to N made-up orders"
    )
    return parser.parse_args(arguments)


def _count(number: str) -> int:
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{number!r} is not a number of orders")
    return int(number)


def _make_folder_of(engine: Engine) -> None:
    """Make the folder of a SQLite file of ours; a folder elsewhere is the user's to make."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        file = Path(engine.url.database)
        if INSTANCE in file.parents:
            file.parent.mkdir(parents=True, exist_ok=True)


def _place(engine: Engine) -> str:
    """The database without user and password: the SQLite file, or name, host and port."""
    url = engine.url
    if url.host is None:
        return str(url.database)
    return f"{url.database} on {url.host}:{url.port}" if url.port else f"{url.database} on {url.host}"


def _reason(error: Exception, engine: Engine) -> str:
    """What the driver says, without the statement, its parameters, and the password."""
    message = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return message.replace(str(engine.url.password), "***") if engine.url.password else message


def _fail(exit_code: int, message: str) -> int:
    print(message.strip(), file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
