"""What the sessions under a script are set to: backstops of ours, over whatever a role or the script itself has set."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
import pytest

from nonstop.databases import open_database
from nonstop.databases.postgresql_session import backstops
from tests.guard.conftest import Scene
from tests.support.pgbouncer import MISSING, find_pgbouncer, pooled
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql
from tests.support.snapshots import applied
from tests.support.waiting import until

ALTER = "ALTER TABLE cars ADD COLUMN colour TEXT"
TIMEOUTS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
)


def settings_of(connection: Any, names: list[str]) -> dict[str, str]:
    cursor = connection.cursor()
    cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", (names,))
    found = dict(cursor.fetchall())
    connection.commit()
    return found


@pytest.mark.parametrize("driver", [psycopg, psycopg2], ids=["psycopg", "psycopg2"])
def test_a_session_gets_its_own_settings_back(postgres_url: str, driver: Any) -> None:
    database = open_database(postgres_url)
    with closing(
        driver.connect(postgres_url, options="-c lock_timeout=7s -c statement_timeout=3s")
    ) as session:
        names = [*backstops("nonstop", None, session.info.server_version)]
        session.cursor().execute(
            "SET application_name = 'shop'; SET idle_in_transaction_session_timeout = '5s'"
        )
        session.commit()
        before = settings_of(session, names)
        database.prepare_session(session, "nonstop 1", 60.0)
        prepared = settings_of(session, names)
        assert prepared["application_name"] == "nonstop 1"
        assert prepared["lock_timeout"] == "1h"
        assert prepared["statement_timeout"] == "90s"
        session.cursor().execute("SET lock_timeout = 0; SET statement_timeout = '1ms'")  # as a script may
        session.commit()
        database.restore_session(session)
        assert settings_of(session, names) == before
        assert (before["lock_timeout"], before["application_name"]) == ("7s", "shop")


def test_a_session_that_is_taken_again_before_its_commit_is_sent_stays_ours(
    scene: Scene, tmp_path: Path
) -> None:
    """The pool hands it out again while the commit is held; what is done after the commit must leave it alone."""
    seen = tmp_path / "seen"
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'first'"))
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = 'second'"))
    with open({str(seen)!r}, "w") as file:
        file.write(connection.execute(text("SELECT current_setting('application_name')")).scalar())
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert seen.read_text().startswith("nonstop ")


def test_a_statement_ends_after_the_deadline_and_the_transaction_after_the_statement() -> None:
    """By the server, should nobody be left to end it: C31 asks for two different moments."""
    settings = backstops("nonstop", 100.0, 170000)
    assert (settings["statement_timeout"], settings["transaction_timeout"]) == ("130000ms", "160000ms")
    assert backstops("nonstop", -5.0, 170000)["statement_timeout"] == "30000ms"
    assert backstops("nonstop", None, 170000)["statement_timeout"] == "86400000ms"
    assert "transaction_timeout" not in backstops("nonstop", None, 160004)


def test_c20_c31_c33_no_timeout_of_a_role_ends_what_takes_its_time(
    scene: Scene, postgres_role: Callable[..., str], rendezvous: Rendezvous
) -> None:
    """A role made for web requests: whatever waits, works or sits for longer than 100 ms would be ended."""
    ours = scene.as_role(postgres_role())
    user = ours.url.partition("://")[2].partition("@")[0]
    with psycopg.connect(scene.url, autocommit=True) as administrator:
        version = administrator.info.server_version
        for timeout in TIMEOUTS:
            administrator.execute(f"ALTER ROLE {user} SET {timeout} = '100ms'".encode())
        if version >= 170000:  # a driver's first queries, before the session is ours, are one transaction
            administrator.execute(f"ALTER ROLE {user} SET transaction_timeout = '1s'".encode())
    ours.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'waited'"))
    connection.execute(text("SELECT pg_sleep(1)"))
    {rendezvous.line}
    connection.execute(text({ALTER!r}))
""")
    ours.script('op.add_column("orders", Column("colour", String(20)))', "bare")
    with scene.session() as application:
        application.execute("UPDATE cars SET note = 'held' WHERE id = 1")
        runner = ours.start()
        until(lambda: scene.value(WAITS_FOR_LONG))
        application.rollback()
        rendezvous.wait()
        until(lambda: scene.value(SITS_FOR_LONG))
        rendezvous.let_go()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert applied(scene.url) == [1, 2]


OURS = "datname = current_database() AND application_name LIKE 'nonstop 2%'"
WAITS_FOR_LONG = f"""
    SELECT true FROM pg_stat_activity
    WHERE {OURS} AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '300 ms'"""
SITS_FOR_LONG = f"""
    SELECT true FROM pg_stat_activity
    WHERE {OURS} AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '300 ms'"""


@pytest.mark.skipif(find_pgbouncer() is None, reason=MISSING)
def test_the_watchdog_knows_our_session_behind_a_pooler_that_does_not_share(
    scene: Scene, tmp_path: Path
) -> None:
    """A pooler announces process ids of its own making."""
    scene.script("""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        connection.execute(text("SELECT pg_sleep(20)"))
""")
    with pooled(scene.url, tmp_path, "session") as url:
        runner = replace(scene, project=replace(scene.project, url=url)).start()
        until(lambda: scene.value("SELECT true FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                                  " AND datname = current_database()"))  # fmt: skip
        with scene.session() as application:
            application.execute("UPDATE cars SET note = 'by the application' WHERE id = 1")
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 2


# --- a strong statement is limited, whatever the script has set ---------------------------------------------------

SPY = """
    CREATE TABLE seen (lock_timeout TEXT, idle TEXT);
    CREATE FUNCTION look() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(42);
        INSERT INTO seen VALUES (current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'));
    END $$;
    CREATE EVENT TRIGGER spy ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION look()"""
"""What each ALTER TABLE is limited to, and a lock (42) that a test can hold against it."""
AUTOCOMMIT = "with db.engine.connect().execution_options(isolation_level='AUTOCOMMIT') as connection:"


def spied_on(scene: Scene) -> list[Any]:
    with psycopg.connect(scene.url) as connection:
        return connection.execute("SELECT lock_timeout FROM seen").fetchall()


@pytest.mark.parametrize("disarm", ["SET lock_timeout = 0", "SET LOCAL lock_timeout = 0",
                                    "SELECT set_config('lock_timeout', '0', false)"])  # fmt: skip
def test_a_script_that_sets_lock_timeout_does_not_disarm_the_guard(scene: Scene, disarm: str) -> None:
    with psycopg.connect(scene.url) as owner:
        owner.execute(SPY)
    scene.script(sql(disarm, ALTER, disarm, ALTER.replace("colour", "shape")))
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert spied_on(scene) == [("50ms",), ("50ms",)]
    assert scene.value("SELECT idle FROM seen") == "30s"


def test_what_disarms_it_within_one_text_meets_the_watchdog(
    scene: Scene, meanwhile: Callable[..., Any]
) -> None:
    """Nothing can be put between the two; but the application does not wait for longer than the budget."""
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = 'by the script' WHERE id = 3"))  # so it can't wait outside
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0; {ALTER}")
""")
    with scene.session() as reader, scene.session() as application:
        reader.execute("SELECT * FROM cars")
        runner = scene.start()
        until(
            lambda: scene.value(
                f"SELECT true FROM pg_stat_activity WHERE {OURS} AND wait_event_type = 'Lock'"
            )
        )
        application.execute("SELECT * FROM cars")  # within its lock_timeout, which is less than the budget
        application.commit()
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts >= 2


def test_a_strong_statement_in_autocommit_mode_is_limited_and_tried_again(
    scene: Scene, tmp_path: Path
) -> None:
    after = tmp_path / "after"
    with psycopg.connect(scene.url) as owner:
        owner.execute(SPY)
    scene.script(f"""
{AUTOCOMMIT}
    connection.execute(text({ALTER!r}))
    with open({str(after)!r}, "w") as file:
        file.write(connection.execute(text("SHOW lock_timeout")).scalar())
""")
    with psycopg.connect(scene.url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(42)")
        runner = scene.start()
        until(lambda: scene.attempts_file.exists() and scene.attempts >= 3)
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert spied_on(scene)[0] not in (("0",), ("1h",))
    assert after.read_text() == "1h"
    assert scene.has_column("cars", "colour")


def test_after_a_commit_in_autocommit_mode_nothing_is_tried_again(scene: Scene) -> None:
    with psycopg.connect(scene.url) as owner:
        owner.execute(SPY)
    scene.script(f"""
{AUTOCOMMIT}
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    connection.execute(text({ALTER!r}))
""")
    with psycopg.connect(scene.url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(42)")
        end = scene.start().wait()
    assert end.returncode == 7, end.output
    assert scene.attempts == 1
    assert "1 commit of it is permanent" in end.output


def test_an_error_in_autocommit_mode_leaves_no_limit_and_no_lock_behind(scene: Scene, tmp_path: Path) -> None:
    """What failed holds nothing: the next strong statement can wait outside the queue again."""
    after = tmp_path / "after"
    scene.script(f"""
{AUTOCOMMIT}
    try:
        connection.execute(text("ALTER TABLE cars ADD COLUMN note TEXT"))
    except Exception:
        open({str(after)!r}, "w").write(connection.execute(text("SHOW lock_timeout")).scalar())
    connection.execute(text({ALTER!r}))
""")
    with scene.session() as reader:
        reader.execute("SELECT * FROM cars")
        end = scene.start("--deadline", "1s").wait()
    assert "the deadline of 1 s has passed" in end.output
    assert "cars held by: pid" in end.output
    with scene.session():
        end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert after.read_text() == "1h"
