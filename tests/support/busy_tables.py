"""Tables of every sort with some thousand rows each, and what a statement does to them: locks, rewrites, scans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from nonstop.descriptions.statements import Need, Reach

ROWS = 3000
SCHEMA = f"""
    CREATE SCHEMA app;
    CREATE TYPE mood AS ENUM ('ok', 'bad');
    CREATE TYPE unused AS (a int);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE SEQUENCE numbers;
    CREATE FUNCTION steady(int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
    CREATE FUNCTION unsteady(int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END';
    CREATE FUNCTION app.count(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION change_everything() RETURNS int LANGUAGE plpgsql
        AS 'BEGIN ALTER TABLE orders ADD COLUMN surprise serial; RETURN 1; END';
    CREATE PROCEDURE change_all() LANGUAGE plpgsql AS 'BEGIN ALTER TABLE orders ADD COLUMN surprise serial; END';

    CREATE TABLE cars (id int PRIMARY KEY, plate text);
    CREATE TABLE orders (
        id serial PRIMARY KEY, car_id int REFERENCES cars, second_car int, code int, price numeric DEFAULT 1,
        plate varchar(20) NOT NULL DEFAULT 'x', note text DEFAULT 'none', checked int DEFAULT 1 CHECK (checked IS NOT NULL),
        worth positive
    );
    CREATE INDEX ix_orders_price ON orders (price);
    CREATE UNIQUE INDEX ux_orders_code ON orders (code);
    CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders);
    CREATE TABLE "Order Items" (id int, "Order" int, car_id int REFERENCES cars);
    CREATE TABLE app.events (id int, order_id int, owner int REFERENCES orders);
    CREATE INDEX ix_events ON app.events (order_id);
    CREATE TABLE keyless (code int NOT NULL, nullable int);
    CREATE UNIQUE INDEX ux_keyless_code ON keyless (code);
    CREATE UNIQUE INDEX ux_keyless_nullable ON keyless (nullable);
    CREATE TABLE vehicles (id int, wheels int);
    CREATE TABLE trucks (load int) INHERITS (vehicles);
    CREATE TABLE measurements (at int, value int DEFAULT 0, car_id int REFERENCES cars) PARTITION BY RANGE (at);
    CREATE TABLE measurements_low PARTITION OF measurements FOR VALUES FROM (0) TO (1500);
    CREATE TABLE measurements_high PARTITION OF measurements FOR VALUES FROM (1500) TO (2400);
    CREATE TABLE measurements_rest PARTITION OF measurements DEFAULT;
    CREATE TABLE measurements_keyed (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE measurements_keyed_1 PARTITION OF measurements_keyed FOR VALUES FROM (0) TO (5000);
    CREATE TABLE loose (at int, value int DEFAULT 0, car_id int);
    CREATE TABLE loose_keyed (id int PRIMARY KEY CHECK (id >= 10000 AND id < 20000));
    CREATE TABLE loose_parent (at int);
    CREATE RULE noted AS ON DELETE TO loose_parent DO ALSO SELECT 1;

    INSERT INTO cars SELECT n, 'AB' || n FROM generate_series(1, {ROWS}) n;
    INSERT INTO orders (car_id, second_car, code, price, checked, worth)
        SELECT n, n, n, n, n, n FROM generate_series(1, {ROWS}) n;
    INSERT INTO items SELECT n, n FROM generate_series(1, {ROWS}) n;
    INSERT INTO "Order Items" SELECT n, n, n FROM generate_series(1, {ROWS}) n;
    INSERT INTO app.events SELECT n, n, n FROM generate_series(1, {ROWS}) n;
    INSERT INTO keyless SELECT n, n FROM generate_series(1, {ROWS}) n;
    INSERT INTO vehicles SELECT n, 4 FROM generate_series(1, {ROWS}) n;
    INSERT INTO trucks SELECT n, 6, 1 FROM generate_series(1, {ROWS}) n;
    INSERT INTO measurements SELECT n, n, n FROM generate_series(0, {ROWS} + 500) n WHERE n BETWEEN 1 AND {ROWS};
    INSERT INTO measurements_keyed SELECT n FROM generate_series(1, {ROWS}) n;
    INSERT INTO loose SELECT n, n, 1 FROM generate_series(5001, 5000 + {ROWS}) n;
    INSERT INTO loose_keyed SELECT n FROM generate_series(10001, 10000 + {ROWS}) n;
    ALTER TABLE orders ADD CONSTRAINT not_validated CHECK (price > 0) NOT VALID;
    ALTER TABLE orders ADD CONSTRAINT fk_not_validated FOREIGN KEY (second_car) REFERENCES cars NOT VALID;
    CREATE STATISTICS noted (dependencies) ON price, note FROM orders;
    CREATE INDEX ix_measurements ON ONLY measurements (at, at);
    CREATE INDEX ix_measurements_1 ON measurements_low (at, at);
    CREATE VIEW open_orders AS SELECT id, second_car FROM orders;
    CREATE MATERIALIZED VIEW totals AS SELECT id, second_car FROM orders;
    CREATE UNIQUE INDEX ux_totals ON totals (id);
"""
# From weak to strong. Up to ROW EXCLUSIVE, readers and writers of rows get along with one another.
MODES = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
# Every relation of users: its oid, name, sort, file, and the table that it belongs to (itself, an index's, a TOAST's).
RELATIONS = """
    SELECT c.oid, c.oid::regclass::text, c.relkind::text, pg_relation_filenode(c.oid),
        coalesce(x.indrelid, owner.oid, c.oid)::regclass::text
    FROM pg_class c
    LEFT JOIN pg_index x ON x.indexrelid = c.oid
    LEFT JOIN pg_class owner ON owner.reltoastrelid = c.oid
    WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind <> 'c'
        AND coalesce(x.indrelid::regclass::text, '') NOT LIKE 'pg_toast%'
        AND (c.relnamespace <> 'pg_toast'::regnamespace OR owner.oid IS NOT NULL)
"""
SCANS = "SELECT relid::regclass::text, seq_tup_read FROM pg_stat_xact_user_tables"
CLOSURES = {
    Reach.CHILDREN: "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent::regclass::text = ANY (%s)",
    Reach.REFERENCED: """SELECT confrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND conrelid::regclass::text = ANY (%s)""",
    Reach.REFERENCING: """SELECT conrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND confrelid::regclass::text = ANY (%s)""",
    Reach.PARENT: """SELECT unnest(ARRAY[i.inhparent, nullif(p.partdefid, 0)])::regclass::text
        FROM pg_inherits i JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
        WHERE i.inhrelid::regclass::text = ANY (%s)""",
    Reach.DEFAULT_PARTITION: """SELECT partdefid::regclass::text FROM pg_partitioned_table
        WHERE partdefid <> 0 AND partrelid::regclass::text = ANY (%s)""",
    Reach.OWNED: """SELECT s.oid::regclass::text FROM pg_class s JOIN pg_depend d ON d.objid = s.oid
        WHERE s.relkind = 'S' AND d.deptype IN ('a', 'i') AND d.refobjid::regclass::text = ANY (%s)""",
}


@dataclass(frozen=True)
class Effect:
    """What one statement did to the relations that were there before it.

    ``locks``: the strongest mode on each table, indexes and TOAST counted as their table. ``rewritten``: tables with
    a new file for themselves or an index. ``read``: tables of which most rows were read one after the other.
    """

    locks: dict[str, str]
    rewritten: set[str]
    read: set[str]

    def stronger_than(self, mode: str) -> dict[str, str]:
        return {table: held for table, held in self.locks.items() if MODES.index(held) > MODES.index(mode)}

    @property
    def strongest(self) -> str:
        return max(self.locks.values(), key=MODES.index, default=MODES[0])


def make(connection: psycopg.Connection[Any]) -> None:
    """Make the tables, and fill them."""
    connection.execute(SCHEMA)


def effect_of(connection: psycopg.Connection[Any], statement: str) -> Effect:
    """Run ``statement`` in the open transaction and look at what it did."""
    before = _relations(connection)
    held_before = _locks(connection)
    read_before = dict(connection.execute(SCANS).fetchall())
    connection.execute(statement)
    after = _relations(connection)
    locks: dict[str, str] = {}
    for oid, mode in _locks(connection) - held_before:
        if oid in before:
            table = before[oid][3]
            locks[table] = max(locks.get(table, MODES[0]), mode, key=MODES.index)
    changed = [
        oid for oid in before if oid in after and before[oid][1] != "S" and before[oid][2] != after[oid][2]
    ]
    read = dict(connection.execute(SCANS).fetchall())
    names = {relation[0] for relation in before.values()}
    return Effect(
        locks,
        {before[oid][3] for oid in changed},
        {name for name in names if read.get(name, 0) - read_before.get(name, 0) >= ROWS / 10},
    )


def reached_by(connection: psycopg.Connection[Any], need: Need) -> set[str]:
    """The tables that a statement may lock strongly, as its need says: the named ones, and those within reach."""
    indexes = "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = ANY (%s::regclass[])"
    tables = set(_folded(connection, need.relations))
    tables |= _ask(connection, indexes, _folded(connection, need.indexes)) | set(
        _folded(connection, need.indexes)
    )
    while True:  # children of children, and what those refer to
        found = set(tables)
        for reach, query in CLOSURES.items():
            if reach in need.reach:
                found |= _ask(connection, query, tables)
        if found == tables:
            return tables
        tables = found


def _relations(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, str, int, str]]:
    return {oid: tuple(rest) for oid, *rest in connection.execute(RELATIONS)}


def _locks(connection: psycopg.Connection[Any]) -> set[tuple[int, str]]:
    query = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
    return set(connection.execute(query).fetchall())


def _folded(connection: psycopg.Connection[Any], names: Iterable[str]) -> list[str]:
    """As the catalog shows them; what does not exist is left out."""
    query = "SELECT to_regclass(name)::text FROM unnest(%s::text[]) AS name"
    return [name for (name,) in connection.execute(query, [list(names)]) if name is not None]


def _ask(connection: psycopg.Connection[Any], query: str, names: Iterable[str]) -> set[str]:
    return {name for (name,) in connection.execute(query, [list(names)]) if name is not None}
