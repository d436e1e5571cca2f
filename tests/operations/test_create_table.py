"""op.create_table"""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)

from nonstop import op
from nonstop.errors import DefinitionConflict
from tests.support.operations import Trial, send, sql_of

APPLY = """
op.create_table(
    "parts",
    Column("id", Integer, primary_key=True),
    Column("order_id", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("is_common", Boolean, nullable=False, server_default="0"),
    ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_parts_order", ondelete="CASCADE"),
    Index("by_name", "name"),
)
"""
ROLLBACK = 'op.drop_table("parts")'
IMPORTS = "from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text"


def test_there_and_back(trial: Trial) -> None:
    trial.script(APPLY, ROLLBACK, before=IMPORTS)
    parts = trial.there_and_back()["tables"]["parts"]
    assert set(parts["columns"]) == {"id", "order_id", "name", "is_common"}
    assert "by_name" in parts["indexes"]


def test_the_foreign_key_works(trial: Trial) -> None:
    trial.script(APPLY, ROLLBACK, before=IMPORTS)
    trial.apply()
    send(trial.url, "INSERT INTO parts (id, order_id, name) VALUES (1, 1, 'wheel')")
    if trial.is_postgresql:
        with pytest.raises(Exception, match="fk_parts_order"):
            send(trial.url, "INSERT INTO parts (id, order_id, name) VALUES (2, 99, 'wheel')")


def lines(sql: str) -> list[str]:
    """The words of a statement, one line per line, without the layout."""
    return [" ".join(line.split()) for line in sql.splitlines() if line.strip()]


def everything() -> None:
    op.create_table(
        "Parts %",
        Column("id", Integer, primary_key=True),
        Column("order", Integer, ForeignKey("orders.id", ondelete="SET NULL", name="fk")),
        Column("name", String(20), nullable=False, server_default=text("'50%'")),
        UniqueConstraint("name", name="one_name"),
        CheckConstraint("name <> '%'", name="named"),
        Index("by_order", "order", unique=True),
    )


def test_the_sql() -> None:
    for dialect, key in (("sqlite", "id INTEGER NOT NULL,"), ("postgresql", "id SERIAL NOT NULL,")):
        table, index = sql_of(dialect, everything)
        assert lines(table) == [
            'CREATE TABLE "Parts %" (',
            key,
            '"order" INTEGER,',
            "name VARCHAR(20) DEFAULT '50%' NOT NULL,",
            "PRIMARY KEY (id),",
            "CONSTRAINT one_name UNIQUE (name),",
            "CONSTRAINT named CHECK (name <> '%'),",
            'CONSTRAINT fk FOREIGN KEY("order") REFERENCES orders (id) ON DELETE SET NULL',
            ");",
        ]
        assert index == 'CREATE UNIQUE INDEX by_order ON "Parts %" ("order");'


def test_the_sql_of_a_key_into_another_schema() -> None:
    def call() -> None:
        op.create_table(
            "parts",
            Column("a", Integer),
            Column("b", Integer),
            ForeignKeyConstraint(["a", "b"], ["Shop.orders.x", "Shop.orders.y"], name="fk"),
            schema="store",
        )

    (table,) = sql_of("postgresql", call)
    assert lines(table) == [
        "CREATE TABLE store.parts (",
        "a INTEGER,",
        "b INTEGER,",
        'CONSTRAINT fk FOREIGN KEY(a, b) REFERENCES "Shop".orders (x, y)',
        ");",
    ]


def test_odd_names_on_a_real_database(trial: Trial) -> None:
    trial.script(
        """
        op.create_table(
            "Parts %",
            Column("id", Integer, primary_key=True),
            Column("order", Integer, ForeignKey("orders.id", ondelete="SET NULL", name="fk")),
            Column("50% off", String(20), nullable=False, server_default=text("'50%'")),
            Index("by Order", "order", unique=True),
        )
        """,
        'op.drop_table("Parts %")',
        before=IMPORTS,
    )
    assert set(trial.there_and_back()["tables"]["Parts %"]["columns"]) == {"id", "order", "50% off"}


def test_a_table_can_point_at_itself(trial: Trial) -> None:
    trial.script(
        'op.create_table("t", Column("id", Integer, primary_key=True), Column("parent", Integer, ForeignKey("t.id")))',
        'op.drop_table("t")',
    )
    trial.there_and_back()


KEY = "id INTEGER PRIMARY KEY"
REFERENCE = "REFERENCES orders (id) ON DELETE CASCADE"
REST = "name VARCHAR(200) NOT NULL, is_common BOOLEAN DEFAULT '0' NOT NULL"


@pytest.mark.parametrize(
    ("existing", "says"),
    [
        (KEY, "no column order_id"),
        (f"id INTEGER, order_id INTEGER NOT NULL {REFERENCE}, {REST}", "primary key []"),
        (
            f"{KEY}, order_id INTEGER NOT NULL, {REST}",
            "it has no such foreign key, the script wants foreign key (order_id) to orders(id) on delete CASCADE",
        ),
        (f"{KEY}, order_id INTEGER NOT NULL {REFERENCE}, {REST}", "no index by_name"),
        (
            f"{KEY}, order_id INTEGER NOT NULL REFERENCES orders (id), {REST}",
            "it has foreign key (order_id) to orders(id) on delete NO ACTION",
        ),
        (f"{KEY}, order_id VARCHAR(9) NOT NULL", "it has VARCHAR(9), the script wants INTEGER"),
    ],
)
def test_a_table_of_that_name_with_another_definition_is_a_conflict(
    trial: Trial, existing: str, says: str
) -> None:
    send(trial.url, f"CREATE TABLE parts ({existing})")
    before = trial.look()
    trial.script(APPLY, ROLLBACK, before=IMPORTS)
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert says in error.message
    assert trial.look() == before


def test_a_table_with_more_than_what_is_described_is_adopted(trial: Trial) -> None:
    send(
        trial.url,
        f"CREATE TABLE parts ({KEY}, order_id INTEGER NOT NULL {REFERENCE}, {REST}, more TEXT)",
        "CREATE INDEX by_name ON parts (name)",
    )
    before = trial.look()
    trial.script(APPLY, ROLLBACK, before=IMPORTS)
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("create table parts: is so already",)
    assert trial.look() == before


def test_in_a_schema(postgres_trial: Trial) -> None:
    send(postgres_trial.url, 'CREATE SCHEMA "Shop"', 'CREATE TABLE "Shop".owners (id INTEGER PRIMARY KEY)')
    postgres_trial.script(
        """
        op.create_table(
            "cars",
            Column("id", Integer, primary_key=True),
            Column("owner_id", Integer, ForeignKey("Shop.owners.id")),
            schema="Shop",
        )
        op.add_column("cars", Column("plate", String(20)), schema="Shop")
        op.create_index("by_plate", "cars", ["plate"], schema="Shop")
        """,
        """
        op.drop_index("by_plate", "cars", schema="Shop")
        op.drop_column("cars", "plate", schema="Shop")
        op.drop_table("cars", schema="Shop")
        """,
    )
    postgres_trial.there_and_back()
    with psycopg.connect(postgres_trial.url) as connection:
        assert connection.execute(
            "SELECT schemaname, tablename FROM pg_indexes WHERE indexname = 'by_plate'"
        ).fetchall() == [("Shop", "cars")]


def test_a_key_that_does_something_else_on_update_is_a_conflict(trial: Trial) -> None:
    send(
        trial.url,
        "CREATE TABLE parts (id INTEGER NOT NULL PRIMARY KEY, of_order INTEGER,"
        " FOREIGN KEY (of_order) REFERENCES orders (id) ON UPDATE CASCADE)",
    )
    trial.script(
        """
        op.create_table(
            "parts",
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("of_order", Integer, ForeignKey("orders.id")),
        )
        """
    )
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert "on delete NO ACTION on update CASCADE" in error.message
