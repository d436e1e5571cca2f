"""A rebuilt SQLite table loses nothing: everything but the one change is compared before and after."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from nonstop.databases.sqlite_table import TableText
from tests.support.snapshots import sqlite_file
from tests.support.stage import Stage

TABLES = """
CREATE TABLE parents (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
CREATE TABLE "the table" ( -- a comment, with (brackets
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(20) COLLATE NOCASE NOT NULL ON CONFLICT REPLACE DEFAULT 'it''s, (so)',
    [old price] NUMERIC(8, 2) DEFAULT (1.5 + 2) /* not the new one */ CHECK ("old price" >= 0),
    parent INTEGER CONSTRAINT has_parent REFERENCES parents (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    doubled INTEGER GENERATED ALWAYS AS ("old price" * 2) STORED,
    shown TEXT AS (upper(name)),
    changing TEXT DEFAULT 'x',
    CONSTRAINT "named, too" CHECK (length(name) < 15),
    UNIQUE (name, parent) ON CONFLICT IGNORE -- the last
);
CREATE TABLE children (id INTEGER PRIMARY KEY, the_id INTEGER NOT NULL REFERENCES "the table" (id) ON DELETE CASCADE);
CREATE TABLE log (what TEXT);
CREATE INDEX plain ON "the table" (parent);
CREATE UNIQUE INDEX partly ON "the table" (name) WHERE parent IS NULL;
CREATE INDEX expression ON "the table" (lower(name) DESC, "old price" COLLATE BINARY);
CREATE VIEW seen AS SELECT id, name FROM "the table" WHERE parent IS NOT NULL;
CREATE TRIGGER of_table AFTER UPDATE ON "the table" BEGIN INSERT INTO log VALUES (new.name); END;
CREATE TRIGGER of_insert AFTER INSERT ON "the table" BEGIN INSERT INTO log VALUES ('inserted ' || new.id); END;
CREATE TRIGGER of_other AFTER DELETE ON parents BEGIN DELETE FROM "the table" WHERE parent = old.id; END;
CREATE TRIGGER of_view INSTEAD OF INSERT ON seen BEGIN INSERT INTO "the table" (name) VALUES (new.name); END;
INSERT INTO parents VALUES (1, 'p'), (2, 'q');
INSERT INTO "the table" (id, name, parent) VALUES (1, 'a', 1), (5, 'B', 2), (9, 'c', NULL), (77, 'gone', NULL);
DELETE FROM "the table" WHERE id = 77;
INSERT INTO children VALUES (1, 1), (2, 9);
"""

CHANGES = [
    ("op.set_default('the table', 'changing', 'y')", "op.set_default('the table', 'changing', 'x')"),
    ("op.drop_default('the table', 'changing')", "op.set_default('the table', 'changing', 'x')"),
    ("op.set_not_null('the table', 'changing')", "op.drop_not_null('the table', 'changing')"),
    ("op.add_check('c', 'the table', 'id > 0')", "op.drop_constraint('c', 'the table')"),
    (
        "op.add_foreign_key('f', 'the table', ['changing'], 'parents', ['code'])",
        "op.drop_constraint('f', 'the table')",
    ),
    (
        "op.drop_constraint('named, too', 'the table')",
        "op.add_check('named, too', 'the table', 'length(name) < 15')",
    ),
    (
        "op.drop_constraint('has_parent', 'the table')",
        "op.add_foreign_key('has_parent', 'the table', ['parent'], 'parents', ['id'], on_delete='set null')",
    ),
]
ENFORCING = """\
from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def enforce(connection, record):
    connection.execute("PRAGMA foreign_keys = ON")
"""


@pytest.fixture
def rich(sqlite_stage: Stage) -> Stage:
    with closing(sqlite3.connect(sqlite_file(sqlite_stage.url))) as database:
        database.executescript(TABLES)
        database.execute("UPDATE \"the table\" SET changing = (CASE id WHEN 1 THEN 'p' ELSE 'q' END)")
        database.commit()
    return sqlite_stage


def everything(stage: Stage) -> dict[str, Any]:
    """All that SQLite knows of the database but for nonstop's own tables."""
    with closing(sqlite3.connect(sqlite_file(stage.url))) as database:
        objects = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        tables = [name for kind, name, *_ in objects if kind == "table" and not name.startswith("nonstop_")]
        return {
            "objects": sorted(o for o in objects if not o[2].startswith("nonstop_") and o[0] != "table"),
            "columns": {
                t: database.execute("SELECT * FROM pragma_table_xinfo(?)", [t]).fetchall() for t in tables
            },
            "keys": {
                t: database.execute("SELECT * FROM pragma_foreign_key_list(?)", [t]).fetchall()
                for t in tables
            },
            "indexes": {
                t: database.execute("SELECT * FROM pragma_index_list(?)", [t]).fetchall() for t in tables
            },
            "rows": {
                t: database.execute(f'SELECT rowid, * FROM "{t}" ORDER BY rowid').fetchall()
                for t in tables
                if t != "sqlite_sequence"
            },
            "highest": database.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'the table'"
            ).fetchall(),
            "integrity": database.execute("PRAGMA integrity_check").fetchall(),
            "broken": database.execute("PRAGMA foreign_key_check").fetchall(),
        }


def text_of(stage: Stage) -> str:
    with closing(sqlite3.connect(sqlite_file(stage.url))) as database:
        (source,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'the table'").fetchone()
    return str(source)


@pytest.mark.parametrize("enforcing", ["", ENFORCING], ids=["", "foreign keys enforced"])
@pytest.mark.parametrize(("apply", "rollback"), CHANGES)
def test_nothing_is_lost(rich: Stage, apply: str, rollback: str, enforcing: str) -> None:
    before, text = everything(rich), text_of(rich)
    rich.script(1, apply, rollback)
    script = rich.folder / "001_script.py"
    script.write_text(script.read_text(encoding="utf-8") + enforcing, encoding="utf-8")
    ended = rich.run("apply")
    assert ended.returncode == 0, ended.output
    after = everything(rich)
    assert text_of(rich) != text
    for part in ("objects", "rows", "highest", "integrity", "broken"):
        assert after[part] == before[part], part
    for kept in (
        "AUTOINCREMENT",
        "COLLATE NOCASE",
        "-- a comment, with (brackets",
        "ON CONFLICT IGNORE",
        "-- the last",
    ):
        assert kept in text_of(rich)
    ended = rich.run("rollback", "--yes")
    assert ended.returncode == 0, ended.output
    assert everything(rich) == before


def test_triggers_views_and_keys_still_work(rich: Stage) -> None:
    rich.script(1, "op.add_check('c', 'the table', 'id > 0')")
    assert rich.run("apply").returncode == 0
    rich.sql(
        "PRAGMA foreign_keys = ON",
        "INSERT INTO seen VALUES (NULL, 'new')",
        "UPDATE \"the table\" SET name = 'A' WHERE id = 1",
        'DELETE FROM "the table" WHERE id = 9',
    )
    assert rich.value('SELECT max(id) FROM "the table"') == 78, "AUTOINCREMENT gave a number again"
    assert rich.value("SELECT what FROM log ORDER BY rowid DESC LIMIT 1") == "A"


def test_a_column_with_a_default_that_is_no_constant(rich: Stage) -> None:
    """It can't be added in place: what else there is stays, and the script's other changes find the new column."""
    before = everything(rich)
    rich.script(
        1,
        "op.add_column('the table', Column('at', String(30), nullable=False, server_default=func.now()))\n"
        "op.create_index('by_at', 'the table', ['at'])",
        "op.drop_index('by_at', 'the table')\nop.drop_column('the table', 'at')",
    )
    ended = rich.run("apply")
    assert ended.returncode == 0, ended.output
    after = everything(rich)
    assert [object for object in after["objects"] if object[1] != "by_at"] == before["objects"]
    assert [row[:-1] for row in after["rows"]["the table"]] == before["rows"]["the table"]
    assert after["rows"]["children"] == before["rows"]["children"]
    assert after["highest"] == before["highest"]
    assert "-- the last" in text_of(rich)
    assert rich.run("rollback", "--yes").returncode == 0
    assert everything(rich) == before


def test_a_table_that_refers_to_itself(sqlite_stage: Stage) -> None:
    sqlite_stage.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, above INTEGER REFERENCES t (id) ON DELETE CASCADE, a INTEGER)",
        "INSERT INTO t VALUES (1, NULL, 1), (2, 1, 1), (3, 2, 1)",
    )
    sqlite_stage.script(1, "op.set_not_null('t', 'a')")
    script = sqlite_stage.folder / "001_script.py"
    script.write_text(script.read_text(encoding="utf-8") + ENFORCING, encoding="utf-8")
    assert sqlite_stage.run("apply").returncode == 0
    assert sqlite_stage.value("SELECT count(*) FROM t") == 3
    with closing(sqlite3.connect(sqlite_file(sqlite_stage.url))) as database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("DELETE FROM t WHERE id = 1")
        assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_rowids_without_a_key_stay(sqlite_stage: Stage) -> None:
    sqlite_stage.sql(
        "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1), (2), (3)", "DELETE FROM t WHERE a = 2"
    )
    sqlite_stage.script(1, "op.add_check('c', 't', 'a > 0')")
    assert sqlite_stage.run("apply").returncode == 0
    assert sqlite_stage.value("SELECT group_concat(rowid) FROM t") == "1,3"


@pytest.mark.parametrize("options", ["WITHOUT ROWID", "STRICT", "STRICT, WITHOUT ROWID"])
def test_options_of_the_table_stay(sqlite_stage: Stage, options: str) -> None:
    sqlite_stage.sql(
        f"CREATE TABLE t (a TEXT PRIMARY KEY, b INTEGER) {options}", "INSERT INTO t VALUES ('x', 1)"
    )
    sqlite_stage.round_trip("op.set_not_null('t', 'b')", "op.drop_not_null('t', 'b')")
    assert str(sqlite_stage.value("SELECT sql FROM sqlite_master WHERE name = 't'")).endswith(options)


def test_keys_that_were_broken_before_do_not_stop_it(sqlite_stage: Stage) -> None:
    sqlite_stage.sql(
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id), a INTEGER)",
        "INSERT INTO t VALUES (1, 7, 1)",
    )
    sqlite_stage.round_trip("op.set_not_null('t', 'a')", "op.drop_not_null('t', 'a')")


def test_a_key_that_rows_break_can_be_dropped(sqlite_stage: Stage) -> None:
    sqlite_stage.sql(
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, p INTEGER CONSTRAINT f REFERENCES p (id))",
        "INSERT INTO t VALUES (1, 7)",
    )
    sqlite_stage.script(1, "op.drop_constraint('f', 't')")
    end = sqlite_stage.run("apply")
    assert end.returncode == 0, end.output
    assert sqlite_stage.value("SELECT p FROM t") == 7


def test_a_table_that_is_renamed_afterwards_takes_its_views_along(sqlite_stage: Stage) -> None:
    """What keeps a rebuild from rewriting them is over with it."""
    sqlite_stage.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)",
        "INSERT INTO t VALUES (1, 5)",
        "CREATE VIEW seen AS SELECT a FROM t",
    )
    sqlite_stage.script(1, "op.set_not_null('t', 'a')\nop.rename_table('t', 'u')")
    end = sqlite_stage.run("apply")
    assert end.returncode == 0, end.output
    assert sqlite_stage.value("SELECT a FROM seen") == 5


def test_a_failure_undoes_everything(rich: Stage) -> None:
    before, text = everything(rich), text_of(rich)
    rich.script(1, "op.add_check('c', 'the table', 'id > 0')\nop.execute('SELECT nonsense')")
    assert rich.run("apply").returncode == 1
    assert everything(rich) == before
    assert text_of(rich) == text


@pytest.mark.parametrize(
    ("text", "name", "left"),
    [
        ("(a, CONSTRAINT x CHECK (a > 0), b)", "x", "(a, b)"),
        ("(a CONSTRAINT x DEFAULT NULL NOT NULL)", "x", "(a  NOT NULL)"),
        ("(a, CONSTRAINT y UNIQUE (a) CONSTRAINT x CHECK (a > ','))", "x", "(a, CONSTRAINT y UNIQUE (a) )"),
        ("(a CONSTRAINT x REFERENCES p ON DELETE SET NULL ON UPDATE SET DEFAULT NOT DEFERRABLE UNIQUE)", "X", "(a  UNIQUE)"),
        ('(a -- x, (\n, CONSTRAINT "x" CHECK (a IN (1, 2)) /* ) */)', "x", "(a -- x, (\n /* ) */)"),
        ("(a INT CHECK (a > 0) CONSTRAINT y CHECK (a > 1))", "x", "(a INT CHECK (a > 0) CONSTRAINT y CHECK (a > 1))"),
    ],
)  # fmt: skip
def test_words_are_taken_out_of_a_text(text: str, name: str, left: str) -> None:
    found = TableText(f"CREATE TABLE t {text}").without_constraint(name).text
    assert found == f"CREATE TABLE t {left}"


def test_words_are_put_before_a_comment() -> None:
    table = TableText("CREATE TABLE t (a INT, -- first\n b INT -- last\n)")
    assert (
        table.with_clause("b", "NOT NULL").text
        == "CREATE TABLE t (a INT, -- first\n b INT NOT NULL -- last\n)"
    )
    assert table.with_constraint("CHECK (a > 0)").text.endswith("b INT, CHECK (a > 0) -- last\n)")


def test_a_check_that_names_its_table_stops_it(sqlite_stage: Stage) -> None:
    """The table has another name while it is filled: the script fails, and nothing has changed."""
    sqlite_stage.sql("CREATE TABLE t (a INTEGER, CHECK (t.a > 0))", "INSERT INTO t VALUES (1)")
    before = sqlite_stage.look()
    sqlite_stage.script(1, "op.set_not_null('t', 'a')")
    assert sqlite_stage.run("apply").returncode == 1
    assert sqlite_stage.look() == before


def test_the_sql_that_will_run_is_shown(sqlite_stage: Stage) -> None:
    sqlite_stage.sql("CREATE TABLE t (a INTEGER)")
    sqlite_stage.script(1, "op.set_not_null('t', 'a')")
    ended = sqlite_stage.run("plan", "--sql")
    assert ended.returncode == 0, ended.output
    assert "-- table t is made anew" in ended.output
