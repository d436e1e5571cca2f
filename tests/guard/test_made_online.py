"""Plain SQL that would block the application is carried out in its online form, or refused."""

from __future__ import annotations

from typing import Literal

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.fingerprint import fingerprint
from tests.support.scripts import sql
from tests.support.sessions import at_work
from tests.support.snapshots import applied, events
from tests.support.waiting import until

BIG = 200_000
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix')"


def fill(scene: Scene) -> None:
    """Make ``orders`` large enough that nobody may keep it locked: about 20 MB."""
    with scene.session() as application:
        application.execute(
            f"INSERT INTO orders SELECT n, repeat('x', 60) FROM generate_series(10, {BIG}) AS n".encode()
        )


def test_an_index_is_built_after_the_commit(online: Scene) -> None:
    online.script(sql("ALTER TABLE orders ADD COLUMN price INTEGER", "CREATE INDEX ix ON orders (note)"))
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert "done online: CREATE INDEX CONCURRENTLY ix ON orders (note)" in end.output
    assert online.value(IS_VALID) is True
    assert applied(online.url) == [1]


def test_an_index_that_was_rolled_back_is_not_built(online: Scene) -> None:
    online.script("""
with db.engine.connect() as connection:
    connection.execute(text("CREATE INDEX ix ON orders (note)"))
    connection.rollback()
    connection.execute(text("UPDATE orders SET note = 'by the script'"))
    connection.commit()
""")
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert "done online" not in end.output
    assert online.value("SELECT to_regclass('ix')") is None


MAY_FAIL = {
    "unique": "CREATE UNIQUE INDEX ix ON orders (note)",
    "check": "ALTER TABLE orders ADD CONSTRAINT c CHECK (note <> '')",
    "foreign key": "ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES cars",
}
OTHERS = {
    "rows": "INSERT INTO orders VALUES (4, '1') ON CONFLICT DO NOTHING",
    "rows of another table": "UPDATE cars SET note = 'x'",
    "schema": "ALTER TABLE cars ADD COLUMN size INTEGER",
    "a function that writes": "SELECT fill()",
    "another index": "CREATE INDEX iy ON orders (id)",
    "another constraint": "ALTER TABLE cars ADD CONSTRAINT d CHECK (id > 0)",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("statement", MAY_FAIL.values(), ids=MAY_FAIL)
@pytest.mark.parametrize("is_first", [True, False], ids=["before it", "after it"])
@pytest.mark.repetitive(6)
def test_what_rows_may_fail_is_alone_in_its_transaction(
    online: Scene, statement: str, other: str, is_first: bool
) -> None:
    """When it fails after the commit, nothing else of the transaction could be undone."""
    with psycopg.connect(online.url) as connection:
        connection.execute(
            "CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS $$ UPDATE cars SET note = 'x' $$"
        )
    before = fingerprint(online.url)
    online.script(sql(*((other, statement) if is_first else (statement, other))))
    end = online.start().wait()
    assert end.returncode == 8, end.output
    assert "it may fail when other changes" in end.output or "is carried out after the commit" in end.output
    assert "was undone completely" in end.output
    assert fingerprint(online.url) == before


def test_several_changes_in_one_statement_are_not_undone_by_half(online: Scene) -> None:
    online.script(sql("ALTER TABLE orders ADD COLUMN size INTEGER, ADD CONSTRAINT c CHECK (note <> '')"))
    end = online.start().wait()
    assert end.returncode == 8, end.output
    assert "it may fail when other changes are permanent already" in end.output
    assert not online.has_column("orders", "size")


@pytest.mark.parametrize("statement", [MAY_FAIL["unique"], MAY_FAIL["check"]], ids=["unique", "check"])
def test_an_error_of_the_rows_is_raised_by_the_commit_as_the_database_raises_it(
    online: Scene, statement: str
) -> None:
    """A script may handle it as it would handle that of the statement in plain Python."""
    online.script(f"""
from sqlalchemy.exc import IntegrityError
try:
    with db.engine.begin() as connection:
        connection.execute(text({statement!r}))
except IntegrityError as error:
    print("raised by commit():", error.orig)
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = id::text"))
with db.engine.begin() as connection:
    connection.execute(text({statement!r}))
""")
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert "raised by commit():" in end.output
    assert online.value("SELECT count(*) FROM orders WHERE note = id::text") == 3
    assert online.value(
        "SELECT to_regclass('ix') IS NOT NULL OR EXISTS (SELECT FROM pg_constraint WHERE conname = 'c' AND convalidated)"
    )


@pytest.mark.parametrize(
    "question",
    [
        "SELECT indexname FROM pg_indexes",
        "SELECT to_regclass('ix')",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT 'ix'::regclass",
    ],
)
def test_a_look_at_the_catalog_would_miss_the_index(online: Scene, question: str) -> None:
    online.script(sql("CREATE INDEX ix ON orders (note)", question))
    end = online.start().wait()
    assert end.returncode == 8, end.output
    assert f"an earlier statement is carried out after the commit: {question}" in end.output


@pytest.mark.parametrize("transactions", ["one", "each"])
def test_a_name_that_postgresql_would_choose_twice_is_refused(
    online: Scene, transactions: Literal["one", "each"]
) -> None:
    """It would take orders_note_idx1 for the second; the online form would find the first, and do nothing."""
    statement = "CREATE INDEX ON orders (note)"
    online.script(sql(statement, statement, transactions=transactions))
    end = online.start().wait()
    assert end.returncode in (7, 8), end.output
    assert "refused, for" in end.output


def test_the_index_is_there_when_commit_returns(online: Scene) -> None:
    online.script("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX ix ON orders (note)"))
with db.engine.connect() as connection:
    print("valid:", connection.execute(text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass")).scalar())
""")
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert "valid: True" in end.output


@pytest.mark.parametrize(
    "change", ["ALTER TABLE orders ALTER COLUMN note SET NOT NULL", "ALTER TABLE orders ALTER id TYPE bigint"]
)
def test_what_can_only_block_is_refused_on_a_large_table(scene: Scene, change: str) -> None:
    fill(scene)
    scene.script(sql("CREATE TABLE fresh (id INTEGER)", change))
    end = scene.start().wait()
    assert end.returncode == 8, end.output
    assert f"it would keep the application waiting: {change}" in end.output
    assert "public.orders has " in end.output
    assert scene.value("SELECT to_regclass('fresh')") is None
    assert applied(scene.url) == []


def test_a_script_that_swallows_the_refusal_has_not_succeeded(scene: Scene) -> None:
    fill(scene)
    scene.script("""
try:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders ALTER COLUMN note SET NOT NULL"))
except Exception:
    print("swallowed")
""")
    end = scene.start().wait()
    assert end.returncode == 8, end.output
    assert "swallowed" in end.output
    assert "it would keep the application waiting" in end.output
    assert applied(scene.url) == []


def test_the_correction_is_shown(scene: Scene) -> None:
    fill(scene)
    scene.script(sql("ALTER TABLE orders ALTER COLUMN note SET NOT NULL"))
    assert 'op.set_not_null("orders", "note")' in scene.start().wait().output


def test_blocking_is_allowed_with_a_reason_which_is_kept(scene: Scene) -> None:
    fill(scene)
    change = "ALTER TABLE orders ALTER COLUMN note SET NOT NULL"
    scene.script(sql(change))
    end = scene.start("--allow-blocking", "the workshop is closed").wait()
    assert end.returncode == 0, end.output
    assert events(scene.url)[-1][-1].startswith(f"allowed to block (the workshop is closed): {change}")


def test_what_is_allowed_to_block_is_not_broken_off(scene: Scene) -> None:
    fill(scene)
    scene.script(sql("LOCK TABLE orders", "SELECT pg_sleep(1.5)"))  # longer than the budget
    runner = scene.start("--allow-blocking", "the workshop is closed")
    is_locked = (
        "SELECT true FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock'"
    )
    until(lambda: scene.value(is_locked))
    assert scene.value("SELECT count(*) FROM orders")  # waits for the script
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 1


def test_a_small_table_may_block_for_a_moment(scene: Scene) -> None:
    scene.script(sql("ALTER TABLE orders ALTER COLUMN note SET NOT NULL"))
    end = scene.start().wait()
    assert end.returncode == 0, end.output


def test_a_table_of_the_script_itself_is_in_nobodys_way(scene: Scene) -> None:
    scene.script(
        sql(
            "CREATE TABLE fresh AS SELECT n AS id, repeat('x', 60) AS note FROM generate_series(1, 200000) n",
            "CREATE INDEX ix ON fresh (id)",
            "ALTER TABLE fresh ALTER COLUMN note SET NOT NULL",
            "ALTER TABLE fresh ADD CHECK (id > 0)",
        )
    )
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert "done online" not in end.output


def test_constraints_are_validated_after_the_commit(online: Scene) -> None:
    online.script(
        sql(
            "ALTER TABLE orders ADD COLUMN car_id INTEGER",
            "CREATE INDEX ix ON orders (car_id)",
            "ALTER TABLE orders ADD CONSTRAINT c CHECK (note NOT LIKE '%x%')",
            "ALTER TABLE orders ADD FOREIGN KEY (car_id) REFERENCES cars",
            transactions="each",
        )
    )
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert online.value(
        "SELECT bool_and(convalidated) FROM pg_constraint WHERE conname IN ('c', 'orders_car_id_fkey')"
    )
    assert "done online: ALTER TABLE orders ADD CONSTRAINT c CHECK (note NOT LIKE '%x%')" in end.output


def test_repair_says_what_it_leaves_undone(online: Scene) -> None:
    """A build waits for those who write to its table; there the runner is killed."""
    online.script(sql("CREATE INDEX c ON orders (note)"))
    with online.session() as writer:
        writer.execute("LOCK TABLE orders IN ROW EXCLUSIVE MODE")
        runner = online.start()
        until(lambda: at_work(online.url, "CREATE INDEX CONCURRENTLY c ON orders (note)"))
        runner.kill()
        assert runner.wait().was_killed
    assert "still to be done: CREATE INDEX CONCURRENTLY c" in online.run("status").output
    end = online.run("repair", "--mark-applied", "1", "--yes")
    assert end.returncode == 0, end.output
    assert "left undone: CREATE INDEX CONCURRENTLY c ON orders (note)" in end.output


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("ALTER TABLE orders ADD CONSTRAINT c CHECK (note <> '')", "c"),
        ("CREATE UNIQUE INDEX c ON orders (note)", "c"),
    ],
    ids=["constraint", "index"],
)
def test_what_old_rows_do_not_allow_is_taken_back_until_the_script_asks_again(
    online: Scene, statement: str, name: str
) -> None:
    """As in plain Python, where the statement would have failed: nothing of it is left, and nobody goes on with it."""
    online.script(sql(statement))
    end = online.start().wait()
    assert end.returncode == 1, end.output
    assert "was undone completely" in end.output
    left = (
        "SELECT count(*) FROM (SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class) n(name)"
    )
    assert online.value(f"{left} WHERE name = '{name}'") == 0
    assert "still to be done" not in online.run("status").output
    with online.session() as application:
        application.execute("UPDATE orders SET note = id::text")
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert online.attempts == 2
    assert online.value(f"{left} WHERE name = '{name}'") == 1
    assert applied(online.url) == [1]
