"""What a schema looks like, and what differs in two of them: read from real databases."""

from __future__ import annotations

import pytest

from nonstop.check.shapes import changes
from nonstop.check.shapes.difference import difference
from nonstop.check.shapes.shape import CheckShape, ForeignKeyShape, KeyShape, Shape, TableShape
from tests.support.corrections import shape
from tests.support.operations import send

ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(50) NOT NULL, plate VARCHAR(20), amount INTEGER DEFAULT 1)"


def _table(url: str, name: str = "orders") -> TableShape:
    return shape(url).tables[None, name]


def _difference(url: str, *statements: str) -> list[changes.Change]:
    before = shape(url)
    send(url, *statements)
    return list(difference(before, shape(url)))


def test_a_table_with_all_that_belongs_to_it(database_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
        (
            "CREATE TABLE orders (id INTEGER, part INTEGER, vin VARCHAR(50) NOT NULL, price NUMERIC(10, 2) DEFAULT 0,"
            " seen TIMESTAMP, customer INTEGER REFERENCES customers (id) ON DELETE CASCADE,"
            " PRIMARY KEY (id, part), CONSTRAINT positive CHECK (price > 0), CONSTRAINT one_vin UNIQUE (vin))"
        ),
    )
    table = _table(database_url)
    assert [column.name for column in table.columns] == ["id", "part", "vin", "price", "seen", "customer"]
    types = {column.name: column.python for column in table.columns}
    assert (types["id"], types["vin"], types["price"]) == ("Integer", "String(50)", "Numeric(10, 2)")
    vin, price = table.column("vin"), table.column("price")
    assert vin is not None
    assert price is not None
    assert (vin.nullable, vin.default, price.nullable) == (False, None, True)
    assert str(price.default).startswith("0")
    assert table.key == ("id", "part")
    assert table.uniques == (KeyShape("one_vin", ("vin",)),)
    assert [check.name for check in table.checks] == ["positive"]
    (key,) = table.foreign_keys
    assert (key.columns, key.referred_table, key.referred_columns) == (("customer",), "customers", ("id",))
    assert (key.on_delete, key.on_update) == ("CASCADE", "NO ACTION")
    assert table.indexes == ()  # those behind a key are no indexes of their own


def test_indexes_of_each_kind(database_url: str) -> None:
    send(
        database_url,
        ORDERS,
        "CREATE UNIQUE INDEX partial ON orders (lower(vin), plate DESC) WHERE amount > 1",
        'CREATE INDEX plain ON orders ("plate", amount)',
    )
    partial, plain = _table(database_url).indexes
    assert (partial.unique, partial.names, partial.method) == (True, (), "btree")
    assert partial.keys[0].startswith("lower(")
    assert partial.keys[1] == "plate DESC"
    assert "amount > 1" in partial.where
    assert (plain.unique, plain.keys, plain.names, plain.extras) == (
        False,
        ("plate", "amount"),
        ("plate", "amount"),
        "",
    )


def test_what_only_postgresql_has(postgres_url: str) -> None:
    send(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('bad', 'good')",
        "CREATE SCHEMA shop",
        (
            "CREATE TABLE shop.orders (id BIGINT GENERATED ALWAYS AS IDENTITY, mood mood, moods mood[], exact TIMESTAMP(3),"
            " data JSONB, token UUID DEFAULT gen_random_uuid(), twice INT GENERATED ALWAYS AS (1 * 2) STORED, page XML)"
        ),
        "CREATE INDEX tagged ON shop.orders USING gin (data jsonb_path_ops) WITH (fastupdate = off)",
        "CREATE VIEW shop.all_orders AS SELECT id FROM shop.orders",
    )
    found = shape(postgres_url)
    assert found.enums == {(None, "mood"): ("bad", "good")}
    assert list(found.views) == [("shop", "all_orders")]
    table = found.tables["shop", "orders"]
    assert {column.name: column.python for column in table.columns} == {
        "id": "BigInteger",
        "mood": 'ENUM("bad", "good", name="mood", create_type=False)',
        "moods": 'ARRAY(ENUM("bad", "good", name="mood", create_type=False))',
        "exact": "postgresql.TIMESTAMP(precision=3)",
        "data": "JSONB",
        "token": "Uuid",
        "twice": "Integer",
        "page": "",
    }
    identity, computed = table.column("id"), table.column("twice")
    assert identity is not None
    assert computed is not None
    assert dict(identity.identity)["always"] is True
    assert computed.computed
    (index,) = table.indexes
    assert (index.method, index.keys) == ("gin", ("data jsonb_path_ops",))
    assert "jsonb_path_ops" in index.extras
    assert "fastupdate" in index.extras


def test_a_key_without_a_primary_key_is_a_uniqueness_without_nulls(database_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE orders (number INTEGER NOT NULL, word TEXT UNIQUE, other INTEGER NOT NULL)",
        "CREATE UNIQUE INDEX partial ON orders (other) WHERE other > 1",
    )
    assert _table(database_url).key == ()
    send(database_url, "CREATE UNIQUE INDEX whole ON orders (number)")
    assert _table(database_url).key == ("number",)


def test_the_same_schema_has_no_difference(database_url: str) -> None:
    assert _difference(database_url) == []
    send(database_url, ORDERS)
    assert _difference(database_url, "INSERT INTO orders (id, vin) VALUES (1, 'V')") == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE orders ADD COLUMN note TEXT", changes.AddedColumn),
        ("ALTER TABLE orders DROP COLUMN amount", changes.DroppedColumn),
        ("ALTER TABLE orders RENAME COLUMN vin TO chassis", changes.ReplacedColumn),
        ("CREATE INDEX i ON orders (vin)", changes.AddedIndex),
        ("CREATE TABLE parts (id INTEGER)", changes.AddedTable),
        ("DROP TABLE orders", changes.DroppedTable),
        ("ALTER TABLE orders RENAME TO jobs", changes.RenamedTable),
        ("CREATE VIEW v AS SELECT vin FROM orders", changes.ChangedView),
    ],
)
def test_one_change_is_one_value(database_url: str, statement: str, kind: type) -> None:
    send(database_url, ORDERS)
    (change,) = _difference(database_url, statement)
    assert isinstance(change, kind)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT", changes.ReplacedColumn),
        ("ALTER TABLE orders ALTER COLUMN amount SET DEFAULT 2", changes.ChangedDefault),
        ("ALTER TABLE orders ALTER COLUMN amount DROP DEFAULT", changes.ChangedDefault),
        ("ALTER TABLE orders ALTER COLUMN plate SET NOT NULL", changes.ChangedNullability),
        ("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)", changes.AddedConstraint),
        ("ALTER TABLE orders ADD UNIQUE (vin)", changes.AddedConstraint),
        ("ALTER TABLE orders DROP CONSTRAINT orders_pkey", changes.DroppedPrimaryKey),
        ("CREATE TYPE mood AS ENUM ('a')", changes.AddedEnum),
        ("ALTER TYPE size ADD VALUE 'm' BEFORE 'l'", changes.AddedEnumValue),
        ("DROP TYPE size", changes.DroppedEnum),
    ],
)
def test_the_same_for_what_only_postgresql_alters(postgres_url: str, statement: str, kind: type) -> None:
    send(postgres_url, ORDERS, "CREATE TYPE size AS ENUM ('s', 'l')")
    (change,) = _difference(postgres_url, statement)
    assert isinstance(change, kind)


def test_what_lies_over_a_renamed_column_comes_with_it(database_url: str) -> None:
    send(database_url, ORDERS, "CREATE INDEX i ON orders (vin, plate)")
    (change,) = _difference(database_url, "ALTER TABLE orders RENAME COLUMN vin TO chassis")
    assert isinstance(change, changes.ReplacedColumn)
    assert change.is_renamed
    (index,) = change.belongings
    assert getattr(index, "names", None) == ("chassis", "plate")


def test_a_column_that_goes_and_one_that_comes_are_no_renaming(database_url: str) -> None:
    send(database_url, ORDERS)
    found = _difference(
        database_url, "ALTER TABLE orders DROP COLUMN plate", "ALTER TABLE orders ADD COLUMN car VARCHAR(20)"
    )
    assert [type(change) for change in found] == [changes.AddedColumn, changes.DroppedColumn]


def test_tables_come_after_those_they_refer_to(database_url: str) -> None:
    key = ForeignKeyShape("fk", ("parent",), None, "z", ("id",))
    before = shape(database_url)
    tables = [
        TableShape("a", None, (), foreign_keys=(key,)),
        TableShape("z", None, (), checks=(CheckShape("", "1"),)),
    ]
    after = Shape({(None, table.name): table for table in tables}, {}, {}, before.alters_in_place)
    there = [
        change.table.name for change in difference(before, after) if isinstance(change, changes.AddedTable)
    ]
    back = [
        change.table.name for change in difference(after, before) if isinstance(change, changes.DroppedTable)
    ]
    assert there == ["z", "a"]
    assert back == ["a", "z"]
