"""The tests' own tools tell the truth: servers, databases, scripts, projects, fingerprints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.support.commands import CommandLine, clean_environment
from tests.support.databases import engine_for, fresh_database
from tests.support.fingerprint import fingerprint, rows
from tests.support.postgres_server import (
    CHOICE,
    GIVEN_URL,
    Server,
    Unavailable,
    describe,
    start,
    start_server,
    stop,
)
from tests.support.projects import ApplicationKind, Project
from tests.support.scripts import Template, edit, sql, write_script, write_tables
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[1]


def send(url: str, *statements: str) -> None:
    """Run statements on a database, each in its own transaction."""
    engine = engine_for(url)
    for statement in statements:
        with engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


# --- the server -----------------------------------------------------------------------------------


def test_the_server_has_the_version_that_the_header_announces(postgres_server: Server) -> None:
    assert describe().split(",")[0].startswith(postgres_server.version.split()[0])


def test_a_database_is_used_again_once_it_is_empty(postgres_server: Server) -> None:
    with fresh_database(postgres_server.url) as url:
        send(
            url,
            "CREATE TABLE parents (id SERIAL PRIMARY KEY, born INTEGER GENERATED ALWAYS AS IDENTITY)",
            "CREATE TABLE parts (id INTEGER) PARTITION BY RANGE (id)",
            "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (9)",
            "CREATE VIEW names AS SELECT id FROM parents",
            "CREATE TYPE mood AS ENUM ('ok')",
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE SCHEMA other CREATE TABLE more (id INTEGER)",
        )
        still_connected = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError):
        still_connected.execute("SELECT 1")
    with fresh_database(postgres_server.url) as again:
        assert again == url
        assert fingerprint(again)["tables"] == {}
        with psycopg.connect(again) as connection:
            left = "SELECT count(*) FROM pg_class WHERE oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace"
            assert connection.execute(left).fetchone() == (0,)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER DATABASE {} SET search_path TO x",
        "REVOKE CONNECT ON DATABASE {} FROM PUBLIC",
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
        "DROP SCHEMA public",
        "CREATE PUBLICATION everything",
    ],
)
def test_a_database_that_can_not_be_emptied_is_dropped(postgres_server: Server, change: str) -> None:
    with fresh_database(postgres_server.url) as url:
        send(url, change.format(url.rpartition("/")[2]))
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url, connect_timeout=10)


def test_a_role_with_a_password_is_let_in_with_that_password_only(postgres_role: Callable[..., str]) -> None:
    url = postgres_role(password="p%40ss:wörd/☃")
    psycopg.connect(url).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace("p%2540", "q%2540"))


def test_a_role_may_do_only_what_it_was_allowed(postgres_url: str, postgres_role: Callable[..., str]) -> None:
    send(postgres_url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with psycopg.connect(postgres_role()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE refused (id int)")


def test_a_second_server_with_settings_of_its_own(postgres_server: Server) -> None:
    if postgres_server.binaries is None:
        pytest.skip(f"needs PostgreSQL's programs: unset {GIVEN_URL}")
    second = start_server(Path(postgres_server.binaries), "work_mem = 1234kB\n")
    try:
        with psycopg.connect(second.url) as connection:
            assert connection.execute("SHOW work_mem").fetchone() == ("1234kB",)
            port = connection.info.port
        with psycopg.connect(f"host={second.folder} port={port} user=postgres") as local:
            assert local.info.parameter_status("server_version") == postgres_server.version
    finally:
        stop(second)
    assert second.folder is not None
    assert not Path(second.folder).exists()


def test_a_run_that_is_killed_leaves_no_server_behind(postgres_server: Server, tmp_path: Path) -> None:
    if postgres_server.binaries is None:
        pytest.skip(f"needs PostgreSQL's programs: unset {GIVEN_URL}")
    program = (
        "import sys; from pathlib import Path; from tests.support.postgres_server import start_server\n"
        "server = start_server(Path(sys.argv[1])); print(server.url, server.folder, flush=True); sys.stdin.read()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, postgres_server.binaries],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", start_new_session=True,
    )  # fmt: skip
    with run:
        assert run.stdout is not None
        url, folder = run.stdout.readline().split()
        psycopg.connect(url).close()
        os.killpg(run.pid, signal.SIGKILL)
    until(lambda: not Path(folder).exists())
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url, connect_timeout=10)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({CHOICE: "none"}, f"{CHOICE}=none: set {GIVEN_URL}="),
        ({CHOICE: "sytem"}, "is none of system, embedded, none"),
        (
            {GIVEN_URL: "postgresql://postgres@127.0.0.1:1/postgres"},
            f"the server of {GIVEN_URL} does not answer",
        ),
    ],
)
def test_no_server_comes_with_the_reason(
    variables: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CHOICE, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable) as caught:
        start()
    assert reason in str(caught.value)


# --- scripts, projects, commands ------------------------------------------------------------------


@pytest.mark.parametrize("template", ["raw", "op", "bare"])
def test_written_scripts_are_valid_python(migrations: Path, template: Template) -> None:
    path = write_script(migrations, "003_add_price.py", "print('a')\nprint('b')", template=template)
    source = path.read_text()
    compile(source, path, "exec")
    assert "Migration 003: add price" in source
    assert ("from app import app, db" in source) is (template != "bare")
    assert ("from nonstop import op" in source) is (template != "raw")


@pytest.mark.parametrize("kind", ["flask", "light"])
def test_a_script_of_the_contract_runs_alone_without_nonstop(
    project_of_kind: Callable[[ApplicationKind], Project], kind: ApplicationKind, cli: CommandLine
) -> None:
    project = project_of_kind(kind)
    (script,) = write_tables(project.migrations, 1)
    done = cli.python(script, env=project.environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(fingerprint(project.url)["tables"]) == ["table_1"]
    assert cli.python(script, "rollback", env=project.environment).returncode == 0
    assert fingerprint(project.url)["tables"] == {}


def test_statements_in_one_transaction_or_in_one_each() -> None:
    assert sql("A", "B").count("begin()") == 1
    assert sql("A", "B", transactions="each").count("begin()") == 2


def test_edit_wants_to_find_what_it_replaces(migrations: Path) -> None:
    script = write_script(migrations, "001_x.py", "print('old')")
    edit(script, "old", "new")
    assert "print('new')" in script.read_text()
    with pytest.raises(AssertionError, match=r"is not in 001_x\.py"):
        edit(script, "old", "new")


def test_commands_see_a_clean_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: CommandLine
) -> None:
    for name in ("DATABASE_URL", "PGHOST", "NONSTOP_DIR", "FLASK_APP"):
        monkeypatch.setenv(name, "leaked")
    assert "leaked" not in clean_environment(tmp_path).values()
    child = "import os; print(os.environ['HOME'], os.environ['DATABASE_URL'], 'PGHOST' in os.environ)"
    done = cli.python("-c", child, env={"DATABASE_URL": "given"})
    assert done.stdout.split() == [str(cli.home), "given", "False"]


def test_the_command_line_is_run_with_this_python(cli: CommandLine) -> None:
    assert cli.python("-c", "import sys; print(sys.executable)").stdout.strip() == sys.executable


# --- fingerprints ---------------------------------------------------------------------------------

BASE = (
    "CREATE TABLE parents (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x', CHECK (length(name) > 0))",
    "CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parents (id), code TEXT UNIQUE)",
    "CREATE INDEX children_parent ON children (parent_id)",
    "CREATE VIEW names AS SELECT name FROM parents",
    "INSERT INTO parents (id, name) VALUES (1, 'one'), (2, 'two')",
)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id INTEGER)",
        "DROP TABLE children",
        "ALTER TABLE parents ADD COLUMN age INTEGER",
        "ALTER TABLE parents ADD COLUMN age INTEGER NOT NULL DEFAULT 3",
        "ALTER TABLE parents RENAME COLUMN name TO title",
        "ALTER TABLE parents ADD COLUMN age INTEGER CHECK (age > 0)",
        "ALTER TABLE parents ADD COLUMN other INTEGER REFERENCES parents (id)",
        "CREATE INDEX parents_name ON parents (name DESC)",
        "CREATE UNIQUE INDEX children_code ON children (lower(code)) WHERE code <> 'x'",
        "DROP INDEX children_parent",
        "DROP VIEW names",
    ],
)
def test_each_change_of_the_schema_changes_the_fingerprint_and_not_the_data(
    database_url: str, change: str
) -> None:
    send(database_url, *BASE)
    before, data = fingerprint(database_url), rows(database_url)
    assert before["tables"].keys() == {"parents", "children"}
    assert data["parents"][0] == 2
    send(database_url, change)
    assert fingerprint(database_url) != before
    if "TABLE" not in change:
        assert rows(database_url) == data


def test_going_there_and_back_gives_the_same_fingerprint(database_url: str) -> None:
    send(database_url, *BASE)
    before = fingerprint(database_url)
    send(database_url, "ALTER TABLE parents ADD COLUMN age INTEGER", "CREATE INDEX by_age ON parents (age)")
    send(database_url, "DROP INDEX by_age", "ALTER TABLE parents DROP COLUMN age")
    assert fingerprint(database_url) == before


def test_the_order_in_which_things_were_made_does_not_matter(tmp_path: Path) -> None:
    first, second = (f"sqlite:///{tmp_path / name}" for name in ("first.db", "second.db"))
    columns = ["ALTER TABLE a ADD COLUMN x TEXT", "ALTER TABLE a ADD COLUMN y INTEGER"]
    send(first, "CREATE TABLE a (id INTEGER)", *columns, "INSERT INTO a VALUES (1, 'a', 1), (2, 'b', 2)")
    send(
        second,
        "CREATE TABLE a (id INTEGER)",
        *reversed(columns),
        "INSERT INTO a VALUES (2, 2, 'b'), (1, 1, 'a')",
    )
    assert fingerprint(first) == fingerprint(second)
    assert rows(first) == rows(second)


@pytest.mark.parametrize(
    "change", ["UPDATE parents SET name = 'uno' WHERE id = 1", "DELETE FROM parents WHERE id = 2"]
)
def test_each_change_of_the_data_changes_the_rows_and_not_the_fingerprint(
    database_url: str, change: str
) -> None:
    send(database_url, *BASE)
    before, data = fingerprint(database_url), rows(database_url)
    send(database_url, change)
    assert fingerprint(database_url) == before
    assert rows(database_url)["parents"] != data["parents"]
    assert rows(database_url)["children"] == data["children"]


def test_our_own_tables_are_left_out(database_url: str) -> None:
    empty = fingerprint(database_url)
    send(database_url, "CREATE TABLE nonstop_migrations (id INTEGER PRIMARY KEY)")
    send(database_url, "CREATE INDEX nonstop_migrations_by_id ON nonstop_migrations (id)")
    assert fingerprint(database_url) == empty
    assert rows(database_url) == {}


def test_a_database_file_that_does_not_exist_is_empty_and_is_not_created(
    sqlite_url: str, tmp_path: Path
) -> None:
    assert fingerprint(sqlite_url)["tables"] == {}
    assert not (tmp_path / "database.db").exists()


def test_postgresql_tells_validated_from_not_validated_and_valid_from_invalid(postgres_url: str) -> None:
    send(postgres_url, *BASE, "ALTER TABLE parents ADD CONSTRAINT long CHECK (length(name) > 1) NOT VALID")
    before = fingerprint(postgres_url)
    send(postgres_url, "ALTER TABLE parents VALIDATE CONSTRAINT long")
    validated = fingerprint(postgres_url)
    assert before["tables"]["parents"]["constraints"]["long"][1] is False
    assert validated["tables"]["parents"]["constraints"]["long"][1] is True

    send(postgres_url, "INSERT INTO children VALUES (1, 1, 'a'), (2, 1, 'b')")
    with (
        psycopg.connect(postgres_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON children (parent_id)")
    assert fingerprint(postgres_url)["tables"]["children"]["indexes"]["broken"][1] is False


@pytest.mark.parametrize(
    "change",
    [
        "CREATE SEQUENCE numbers",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA archive CREATE TABLE old (id int)",
        "ALTER TABLE parents ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE parents ALTER COLUMN name DROP DEFAULT",
        "ALTER TABLE parents SET UNLOGGED",
        "CREATE TRIGGER same BEFORE UPDATE ON children FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE MATERIALIZED VIEW copies AS SELECT * FROM parents",
    ],
)
def test_what_only_postgresql_has_is_in_the_fingerprint_too(postgres_url: str, change: str) -> None:
    send(postgres_url, *BASE, "ALTER TABLE children DROP CONSTRAINT children_parent_id_fkey")
    before = fingerprint(postgres_url)
    send(postgres_url, change)
    assert fingerprint(postgres_url) != before
