"""Scripts that try to reach the target while they are rehearsed: stopped where isolation is hard, else refused or detected."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from nonstop.check.target_watch import TargetWatch
from nonstop.databases import open_database, postgresql_grounds, sqlite_ground
from nonstop.databases.base import Database
from nonstop.databases.rehearsal import Ground
from tests.support.databases import fresh_database
from tests.support.postgres_server import Server

STRAY = "CREATE TABLE strayed (id INTEGER)"
# What scripts do, by name. TARGET, SOCKET and FILE are the target's addresses; each must end with an error.
WAYS_TO_A_SERVER = {
    "a hard-coded URL": """
from sqlalchemy import create_engine, text
with create_engine(TARGET.replace("postgresql://", "postgresql+psycopg://")).begin() as connection:
    connection.execute(text(STRAY))
""",
    "creator over TCP": """
import psycopg
from sqlalchemy import create_engine, text
with create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(TARGET)).begin() as connection:
    connection.execute(text(STRAY))
""",
    "creator over a socket": """
import psycopg
from sqlalchemy import create_engine, text
with create_engine("postgresql+psycopg://", creator=lambda: psycopg.Connection.connect(SOCKET)).begin() as connection:
    connection.execute(text(STRAY))
""",
    "bare psycopg2": """
import psycopg2
with psycopg2.connect(TARGET) as connection:
    connection.cursor().execute(STRAY)
""",
    "psycopg2 with keywords": """
import psycopg2
from psycopg2.extensions import parse_dsn
with psycopg2.connect(**parse_dsn(TARGET)) as connection:
    connection.cursor().execute(STRAY)
""",
    "an asynchronous connection": """
import asyncio, psycopg
async def stray():
    async with await psycopg.AsyncConnection.connect(TARGET) as connection:
        await connection.execute(STRAY)
asyncio.run(stray())
""",
    "variables of its own": """
import os, psycopg
from psycopg.conninfo import conninfo_to_dict
parts = conninfo_to_dict(TARGET)
os.environ.update(PGHOST=parts["host"], PGPORT=parts["port"], PGUSER=parts["user"], PGDATABASE=parts["dbname"])
with psycopg.connect() as connection:
    connection.execute(STRAY)
""",
    "psql over TCP": """
import subprocess
subprocess.run(["psql", TARGET, "-c", STRAY], check=True)
""",
    "psql over a socket": """
import subprocess
subprocess.run(f"psql '{SOCKET}' -c '{STRAY}'", shell=True, check=True)
""",
    "dotenv with override": """
import os
from dotenv import load_dotenv
from sqlalchemy import create_engine, text
load_dotenv(ENV_FILE, override=True)
url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url).begin() as connection:
    connection.execute(text(STRAY))
""",
}
WAYS_TO_A_FILE = {
    "its path": """
import sqlite3
with sqlite3.connect(FILE) as connection:
    connection.execute(STRAY)
""",
    "a relative path": """
import os, sqlite3
os.chdir(os.path.dirname(FILE))
with sqlite3.connect(os.path.basename(FILE)) as connection:
    connection.execute(STRAY)
""",
    "a symbolic link": """
import os, sqlite3
os.symlink(FILE, "link.db")
with sqlite3.connect("link.db") as connection:
    connection.execute(STRAY)
""",
    "an address": """
import sqlite3
with sqlite3.connect(f"file:{FILE}?mode=rwc", uri=True) as connection:
    connection.execute(STRAY)
""",
    "SQLAlchemy": """
from sqlalchemy import create_engine, text
with create_engine(f"sqlite:///{FILE}").begin() as connection:
    connection.execute(text(STRAY))
""",
}
BEHIND_PYTHONS_BACK = {
    "a grandchild": """
import subprocess, sys
subprocess.run([sys.executable, "-c", f"import sqlite3; sqlite3.connect({FILE!r}).execute({STRAY!r})"], check=True)
""",
    "attach": """
import sqlite3
with sqlite3.connect(":memory:") as connection:
    connection.execute("ATTACH ? AS target", [FILE])
    connection.execute("CREATE TABLE target.strayed (id INTEGER)")
""",
}


@pytest.fixture(scope="module")
def server_database(postgres_server: Server) -> Iterator[Database]:
    """The target on a server; grounds for it take long to make, so the tests share them."""
    with fresh_database(postgres_server.url) as url:
        yield open_database(url)


@pytest.fixture(scope="module")
def isolated_from_server(server_database: Database) -> Iterator[Ground]:
    with server_database.rehearsals.ground(None) as ground:
        yield hard(ground)


@pytest.fixture(scope="module")
def best_effort_for_server(server_database: Database) -> Iterator[Ground]:
    with best_effort(server_database) as ground:
        yield ground


@pytest.fixture
def file_database(sqlite_url: str) -> Database:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    return open_database(sqlite_url)


@pytest.fixture
def isolated_from_file(file_database: Database) -> Iterator[Ground]:
    with file_database.rehearsals.ground(None) as ground:
        yield hard(ground)


@pytest.fixture
def best_effort_for_file(file_database: Database) -> Iterator[Ground]:
    with best_effort(file_database) as ground:
        yield ground


def hard(ground: Ground) -> Ground:
    if not ground.place.is_isolated:
        pytest.skip("this machine allows no namespaces")
    return ground


def best_effort(database: Database) -> Ground:
    """A ground as on a machine that allows no namespaces."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (postgresql_grounds, sqlite_ground):
            patch.setattr(module, "can_isolate", lambda _: False)
        ground = database.rehearsals.ground(None)
    assert not ground.place.is_isolated
    return ground


@pytest.fixture
def addresses(postgres_server: Server, server_database: Database, tmp_path: Path) -> dict[str, str]:
    """The target's addresses, as the scripts above call them."""
    url = server_database.url
    place = f"host={postgres_server.folder} port={url.port}" if postgres_server.folder else f"host={url.host}"
    environment_file = tmp_path / "stray.env"
    environment_file.write_text(f"DATABASE_URL={url.text}\n")
    return {
        "TARGET": url.text,
        "SOCKET": f"{place} user={url.username} dbname={url.database}",
        "ENV_FILE": str(environment_file),
        "STRAY": STRAY,
    }


def play(
    ground: Ground, script: str, names: dict[str, str], *, confined: bool
) -> subprocess.CompletedProcess[str]:
    """Run a script as a rehearsal would. With ``confined`` it is held in Python, too, and what it tried is printed."""
    text = "".join(f"{name} = {value!r}\n" for name, value in names.items()) + script
    path = ground.folder / "001_stray.py"
    path.write_text(text)
    program = f"import runpy\nrunpy.run_path({str(path)!r})\n"
    if confined:
        program = f"""
import runpy
from nonstop.check import isolation
from nonstop.databases.rehearsal import Bounds
isolation.confine({ground.bounds()!r})
try:
    runpy.run_path({str(path)!r})
finally:
    for attempt in isolation.attempts():
        print(attempt.address, "|", attempt.by, "|", attempt.stack)
"""
    return subprocess.run(
        ground.command([sys.executable, "-c", program]),
        env={**ground.environment(os.environ), "DATABASE_URL": ground.base().url},
        cwd=ground.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


# --- the first fence: nothing is there ------------------------------------------------------------


@pytest.mark.repetitive(4)
@pytest.mark.parametrize("way", WAYS_TO_A_SERVER)
def test_a_server_is_out_of_reach(
    way: str, isolated_from_server: Ground, server_database: Database, addresses: dict[str, str]
) -> None:
    before = server_database.rehearsals.traces()
    done = play(isolated_from_server, WAYS_TO_A_SERVER[way], addresses, confined=False)
    assert done.returncode != 0
    assert "connection" in done.stderr
    assert server_database.rehearsals.traces() == before


@pytest.mark.parametrize("way", WAYS_TO_A_FILE | BEHIND_PYTHONS_BACK)
def test_a_file_is_covered(way: str, isolated_from_file: Ground, file_database: Database) -> None:
    before = file_database.rehearsals.traces()
    file = file_database.url.database
    done = play(
        isolated_from_file,
        (WAYS_TO_A_FILE | BEHIND_PYTHONS_BACK)[way],
        {"FILE": file, "STRAY": STRAY},
        confined=False,
    )
    assert done.returncode != 0
    assert "file is not a database" in done.stderr
    assert file_database.rehearsals.traces() == before


def test_its_own_database_is_within_reach(isolated_from_server: Ground) -> None:
    script = """
import os, subprocess, psycopg, psycopg2
url = os.environ["DATABASE_URL"]
psycopg.connect(url).close()
psycopg2.connect(url).close()
subprocess.run(["psql", url, "-c", "SELECT 1"], check=True)
subprocess.run('psql "$DATABASE_URL" -c "SELECT 1"', shell=True, check=True)
"""
    for confined in (False, True):
        done = play(isolated_from_server, script, {}, confined=confined)
        assert done.returncode == 0, done.stderr


def test_its_own_file_is_within_reach(isolated_from_file: Ground) -> None:
    script = """
import os, sqlite3
with sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///")) as connection:
    connection.execute("INSERT INTO orders VALUES (1)")
"""
    for confined in (False, True):
        done = play(isolated_from_file, script, {}, confined=confined)
        assert done.returncode == 0, done.stderr


def test_the_child_is_the_same_user_with_the_same_rights(isolated_from_file: Ground) -> None:
    script = "import os; print(os.getuid(), os.getgid()); open('made', 'w').close()"
    done = play(isolated_from_file, script, {}, confined=False)
    assert done.stdout.split() == [str(os.getuid()), str(os.getgid())], done.stderr
    assert (isolated_from_file.folder / "made").stat().st_uid == os.getuid()


# --- the second fence: what Python sees -----------------------------------------------------------


@pytest.mark.repetitive(4)
@pytest.mark.parametrize("way", WAYS_TO_A_SERVER)
def test_without_namespaces_python_refuses_a_server(
    way: str, best_effort_for_server: Ground, server_database: Database, addresses: dict[str, str]
) -> None:
    ground = best_effort_for_server
    watch = TargetWatch(server_database, ground.mark)
    done = play(ground, WAYS_TO_A_SERVER[way], addresses, confined=True)
    assert watch.finish() == ()
    assert done.returncode != 0
    assert "OutOfBounds" in done.stderr
    assert "001_stray.py" in done.stdout


@pytest.mark.parametrize("way", WAYS_TO_A_FILE)
def test_without_namespaces_python_refuses_a_file(
    way: str, best_effort_for_file: Ground, file_database: Database
) -> None:
    ground = best_effort_for_file
    watch = TargetWatch(file_database, ground.mark)
    names = {"FILE": file_database.url.database, "STRAY": STRAY}
    done = play(ground, WAYS_TO_A_FILE[way], names, confined=True)
    assert watch.finish() == ()
    assert "OutOfBounds" in done.stderr
    assert "001_stray.py" in done.stdout


def test_what_was_tried_is_told_though_the_script_hides_it(
    isolated_from_server: Ground, addresses: dict[str, str]
) -> None:
    script = """
import psycopg
try:
    psycopg.connect(TARGET, password="not to be shown")
except Exception:
    pass
"""
    done = play(isolated_from_server, script, addresses, confined=True)
    assert done.returncode == 0, done.stderr
    assert addresses["TARGET"].partition("@")[2] in done.stdout
    assert "001_stray.py', 8)" in done.stdout
    assert "not to be shown" not in done.stdout + done.stderr


def test_a_rehearsal_of_a_file_reaches_no_server(
    isolated_from_file: Ground, addresses: dict[str, str]
) -> None:
    script = "import psycopg\npsycopg.connect(TARGET)\n"
    assert play(isolated_from_file, script, addresses, confined=True).returncode != 0


def test_beside_the_target_only_copies_are_within_reach(
    postgres_server: Server, server_database: Database, addresses: dict[str, str]
) -> None:
    with server_database.rehearsals.ground(postgres_server.url) as ground:
        script = "import os, psycopg\npsycopg.connect(os.environ['DATABASE_URL']).close()\npsycopg.connect(TARGET)\n"
        done = play(ground, script, addresses, confined=True)
    assert "OutOfBounds" in done.stderr
    assert done.stdout.count("|") == 2, "one attempt"


# --- detection ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS_TO_A_SERVER)
def test_what_gets_through_to_a_server_is_seen_in_its_catalog(
    way: str, best_effort_for_server: Ground, server_database: Database, addresses: dict[str, str]
) -> None:
    ground = best_effort_for_server
    watch = TargetWatch(server_database, ground.mark)
    done = play(ground, WAYS_TO_A_SERVER[way], addresses, confined=False)
    assert done.returncode == 0, done.stderr
    assert "table public.strayed is new" in watch.finish()
    with closing(server_database.connect()) as connection, connection:
        connection.execute("DROP TABLE strayed")


@pytest.mark.parametrize("way", WAYS_TO_A_FILE | BEHIND_PYTHONS_BACK)
def test_what_gets_through_to_a_file_is_seen(
    way: str, best_effort_for_file: Ground, file_database: Database
) -> None:
    ground = best_effort_for_file
    watch = TargetWatch(file_database, ground.mark)
    names = {"FILE": file_database.url.database, "STRAY": STRAY}
    done = play(ground, (WAYS_TO_A_FILE | BEHIND_PYTHONS_BACK)[way], names, confined=False)
    assert done.returncode == 0, done.stderr
    assert watch.finish() == (f"{file_database.url.database} has changed",)


def test_a_file_that_comes_into_being_is_seen(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    with database.rehearsals.ground(None) as ground:
        watch = TargetWatch(database, ground.mark)
        play(
            ground,
            WAYS_TO_A_FILE["its path"],
            {"FILE": database.url.database, "STRAY": STRAY},
            confined=False,
        )
        assert watch.finish() == (f"{database.url.database} is new",)


def test_a_session_that_changes_nothing_in_the_catalog_is_seen(
    best_effort_for_server: Ground, server_database: Database, addresses: dict[str, str]
) -> None:
    ground = best_effort_for_server
    watch = TargetWatch(server_database, ground.mark)
    script = "import psycopg\npsycopg.connect(TARGET).execute('SELECT pg_sleep(0.3)')\n"
    play(ground, script, addresses, confined=False)
    (seen,) = watch.finish()
    assert "a session of" in seen


def test_changes_of_every_kind_are_seen(postgres_url: str) -> None:
    kinds = (
        "CREATE TABLE t (id INTEGER, name TEXT)",
        "INSERT INTO t VALUES (1)",
        "CREATE TYPE mood AS ENUM ('good')",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER TYPE mood ADD VALUE 'bad'",
        "ALTER TABLE t ADD CHECK (id > 0) NOT VALID",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE t DISABLE TRIGGER g",
        "ALTER TABLE t ALTER name SET DEFAULT 'x'",
        "CREATE INDEX ON t (id)",
        "ALTER TABLE t RENAME name TO title",
        "GRANT SELECT ON t TO PUBLIC",
        "VACUUM FULL t",
        "TRUNCATE t",
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE OR REPLACE VIEW v AS SELECT id + 0 AS id FROM t",
        "DROP TABLE t CASCADE",
    )
    database = open_database(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in kinds:
            before = database.rehearsals.traces()
            connection.execute(statement.encode())
            is_data = statement.startswith("INSERT")
            assert (database.rehearsals.traces() == before) is is_data, statement
            before = database.rehearsals.traces()
            connection.execute("ANALYZE")
            assert database.rehearsals.traces() == before, "what the server does by itself is no change"
